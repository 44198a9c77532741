import { builder } from '../../graphql/builder.ts';
import { decodeGlobalId, encodeGlobalId, newId } from '../../kernel/ids.ts';
import { type ChangedStatus, changeStatus } from '../commands/changeStatus.ts';
import { findOperator } from '../commands/findOperator.ts';
import { type Impersonation, impersonate } from '../commands/impersonate.ts';
import { listOperatedOrganizations } from '../commands/listOperatedOrganizations.ts';
import { listOperatorActions } from '../commands/listOperatorActions.ts';
import { type OperatedOrganization, readOperatedOrganization } from '../commands/readOperatedOrganization.ts';
import { OperatorActionConnection, OperatorActionRef } from './operatorActions.ts';

const OrganizationStatus = builder.enumType('OrganizationStatus', {
  description: 'How an organization stands.',
  values: {
    ACTIVE: { description: 'Open.' },
    SUSPENDED: { description: 'Closed by an operator: to its members, and to whoever would begin to pay.' },
  } as const,
});

const OperatedOrganizationRef = builder.objectRef<OperatedOrganization>('OperatedOrganization').implement({
  description:
    'An organization as an operator sees it: what it is called and how it stands, and nothing of what it has.',
  fields: (t) => ({
    id: t.id({ description: 'Its global id.', resolve: ({ id }) => encodeGlobalId('Organization', id) }),
    name: t.exposeString('name', { description: 'How it is called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses; unique.' }),
    status: t.expose('status', { type: OrganizationStatus, description: 'How it stands.' }),
    contactEmail: t.exposeString('contactEmail', { nullable: true, description: 'Where it can be written to.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was founded.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted; null while it was not.',
    }),
  }),
});

const OperatedOrganizationConnection = builder.connectionObject(
  { type: OperatedOrganizationRef, name: 'OperatedOrganizationConnection', description: 'A page of organizations.' },
  { name: 'OperatedOrganizationEdge', description: 'One organization of a page.' },
);

const OperatedOrganizationFilter = builder.inputType('OperatedOrganizationFilter', {
  description: 'Which organizations are looked for; what is absent does not narrow it down.',
  fields: (t) => ({
    status: t.field({ type: OrganizationStatus, description: 'Only those that stand so.' }),
    text: t.string({ description: 'Only those with this in their name or slug, whatever its case.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Only those founded then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Only those founded before that.' }),
  }),
});

const OperatorRef = builder.objectRef<object>('Operator').implement({
  description: 'What an operator of this installation sees, across all organizations.',
  fields: (t) => ({
    organizations: t.connection(
      {
        type: OperatedOrganizationRef,
        description: 'All organizations, the newest first; deleted ones too.',
        args: { filter: t.arg({ type: OperatedOrganizationFilter, description: 'Which ones.' }) },
        resolve: (_operator, { filter, ...page }, context) =>
          listOperatedOrganizations(context, { filter: filter ?? {}, page }),
      },
      OperatedOrganizationConnection,
    ),
    organization: t.field({
      type: OperatedOrganizationRef,
      nullable: true,
      description: 'One organization; null when there is none of this id.',
      args: { id: t.arg.id({ required: true, description: 'Its global id.' }) },
      resolve: (_operator, { id }, context) => readOperatedOrganization(context, { organizationId: readId(id) }),
    }),
    actions: t.connection(
      {
        type: OperatorActionRef,
        description: 'What operators set about, in all organizations, the newest first.',
        resolve: (_operator, page, context) => listOperatorActions(context, { page }),
      },
      OperatorActionConnection,
    ),
  }),
});

/** What names no organization is asked for like one that nobody has. */
function readId(globalId: string): string {
  const named = decodeGlobalId(globalId);
  return named?.type === 'Organization' ? named.id : newId();
}

builder.queryField('operator', (t) =>
  t.field({
    type: OperatorRef,
    nullable: true,
    description:
      'What an operator sees; null for everybody else. An operator needs a proof that is minutes old: see `stepUp`.',
    resolve: async (_root, _args, context) => ((await findOperator(context)) ? {} : null),
  }),
);

/** An organization and a reason, for one mutation. */
function operatorInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      organizationId: t.id({ required: true, description: 'The organization’s global id.' }),
      reason: t.string({ required: true, description: 'Why; the organization reads it. 1 to 500 characters.' }),
    }),
  });
}

/** An organization that an operator has just changed, for one mutation. */
function changedPayload(name: string) {
  return builder.objectRef<ChangedStatus>(name).implement({
    description: 'An organization as an operator has left it.',
    fields: (t) => ({
      organization: t.expose('organization', { type: OperatedOrganizationRef, description: 'The organization.' }),
      changed: t.exposeBoolean('changed', { description: 'Whether it was not so before.' }),
    }),
  });
}

const ImpersonatePayload = builder.objectRef<Impersonation>('ImpersonatePayload').implement({
  description: 'A token to look into an organization with.',
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', {
      description: 'To be sent as `Authorization: Bearer …`; it asks queries alone, and no other follows it.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends.' }),
  }),
});

const SuspendInput = operatorInput('SuspendOrganizationInput', 'The organization to suspend.');
const RestoreInput = operatorInput('RestoreOrganizationInput', 'The organization to open again.');
const ImpersonateInput = operatorInput('ImpersonateInput', 'The organization to look into.');

builder.mutationFields((t) => ({
  suspendOrganization: t.field({
    type: changedPayload('SuspendOrganizationPayload'),
    description:
      'Closes an organization to its members and to whoever would begin to pay; what is being paid goes on being credited. Doing it twice is doing it once. For operators alone.',
    args: { input: t.arg({ type: SuspendInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context) =>
      changeStatus(context, { ...input, organizationId: readId(input.organizationId), status: 'SUSPENDED' }),
  }),
  restoreOrganization: t.field({
    type: changedPayload('RestoreOrganizationPayload'),
    description:
      'Opens a suspended organization again, and brings a deleted one back that is not purged yet and that somebody owns. Doing it twice is doing it once. For operators alone.',
    args: { input: t.arg({ type: RestoreInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context) =>
      changeStatus(context, { ...input, organizationId: readId(input.organizationId), status: 'ACTIVE' }),
  }),
  impersonate: t.field({
    type: ImpersonatePayload,
    description:
      'Lets an operator look into an organization for some minutes, and change nothing there. For operators alone.',
    args: { input: t.arg({ type: ImpersonateInput, required: true, description: 'Which, and why.' }) },
    resolve: (_root, { input }, context) =>
      impersonate(context, { ...input, organizationId: readId(input.organizationId) }),
  }),
}));
