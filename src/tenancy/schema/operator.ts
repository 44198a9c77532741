import { builder } from '../../graphql/builder.ts';
import { decodeGlobalId, newId } from '../../kernel/ids.ts';
import { type ChangedStatus, changeStatus } from '../commands/changeStatus.ts';
import { findOperator } from '../commands/findOperator.ts';
import { type Impersonation, impersonate } from '../commands/impersonate.ts';
import { listOperatedOrganizations } from '../commands/listOperatedOrganizations.ts';
import { listOperatorActions } from '../commands/listOperatorActions.ts';
import { readOperatedOrganization } from '../commands/readOperatedOrganization.ts';
import { setSubscription } from '../commands/setSubscription.ts';
import {
  OperatedOrganizationConnection,
  OperatedOrganizationFilter,
  OperatedOrganizationRef,
  OrganizationOrder,
} from './operatedOrganizations.ts';
import { OperatorActionConnection, OperatorActionRef } from './operatorActions.ts';

const OperatorRef = builder.objectRef<object>('Operator').implement({
  description: 'What an operator of this installation sees, across all organizations.',
  fields: (t) => ({
    organizations: t.connection(
      {
        type: OperatedOrganizationRef,
        description: 'All organizations, the newest first unless it is said otherwise; deleted ones too.',
        args: {
          filter: t.arg({ type: OperatedOrganizationFilter, description: 'Which ones.' }),
          orderBy: t.arg({
            type: OrganizationOrder,
            description: 'In which order; a cursor is good in its own order alone.',
          }),
        },
        resolve: (_operator, { filter, orderBy, ...page }, context) =>
          listOperatedOrganizations(context, {
            filter: filter ?? {},
            order: orderBy ?? { field: 'CREATED', direction: 'DESC' },
            page,
          }),
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

const SetSubscriptionInput = builder.inputType('SetSubscriptionInput', {
  description: 'What an organization may have from now on, as a whole: what is absent it has not.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization’s global id.' }),
    tier: t.string({
      description:
        'How it is called: 1 to 40 of letters, digits, - and _. Without one the organization has what the installation gives, and none of the rest.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends; from then on the organization has what the installation gives. Never when absent.',
    }),
    maxMembers: t.int({ description: 'How many active members it may have, at least 1; any number when absent.' }),
    maxLinks: t.int({
      description: 'How many payment links it may have that are neither archived nor deleted; any number when absent.',
    }),
    reason: t.string({ required: true, description: 'Why; the organization reads it. 1 to 500 characters.' }),
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
  setSubscription: t.field({
    type: changedPayload('SetSubscriptionPayload'),
    description:
      'Says what an organization may have; whatever it has beyond that it keeps. Doing it twice is doing it once. For operators alone.',
    args: { input: t.arg({ type: SetSubscriptionInput, required: true, description: 'Which, what, and why.' }) },
    resolve: (_root, { input }, context) =>
      setSubscription(context, {
        organizationId: readId(input.organizationId),
        reason: input.reason,
        subscription: {
          tier: input.tier ?? null,
          expiresAt: input.expiresAt ?? null,
          maxMembers: input.maxMembers ?? null,
          maxLinks: input.maxLinks ?? null,
        },
      }),
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
