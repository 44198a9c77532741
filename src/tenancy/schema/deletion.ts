import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { ViewerRef } from '../../identity/schema/viewer.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { deleteOrganization } from '../commands/deleteOrganization.ts';
import { type DeletedOrganization, listDeletedOrganizations } from '../commands/listDeletedOrganizations.ts';
import { restoreDeletedOrganization } from '../commands/restoreDeletedOrganization.ts';
import { OrganizationRef } from './organizations.ts';

const DeletedOrganizationRef = builder.objectRef<DeletedOrganization>('DeletedOrganization').implement({
  description: 'An organization that is deleted, and not purged yet.',
  fields: (t) => ({
    id: t.id({
      description: 'The global id that it had, and will have again.',
      resolve: ({ id }) => encodeGlobalId('Organization', id),
    }),
    name: t.exposeString('name', { description: 'How it was called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses, which others may have taken meanwhile.' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', description: 'When it was deleted.' }),
    restorableUntil: t.expose('restorableUntil', {
      type: 'DateTime',
      description: 'Until when an owner can restore it.',
    }),
  }),
});

builder.prismaObjectField(ViewerRef, 'deletedOrganizations', (t) =>
  t.field({
    type: [DeletedOrganizationRef],
    description:
      'The deleted organizations that the user owned and can restore, the last deleted first: a hundred at most.',
    resolve: (_viewer, _args, context) => listDeletedOrganizations(context),
  }),
);

const DeleteOrganizationInput = builder.inputType('DeleteOrganizationInput', {
  description: 'What is to go.',
  fields: (t) => ({
    slug: t.string({ required: true, description: 'The organization’s own slug, so that nothing goes by mistake.' }),
  }),
});

type Gone = Awaited<ReturnType<typeof deleteOrganization>>;

const DeleteOrganizationPayload = builder.objectRef<Gone>('DeleteOrganizationPayload').implement({
  description: 'An organization is gone, and the sessions that worked in it are over.',
  fields: (t) => ({
    organizationId: t.id({
      description: 'Its global id.',
      resolve: ({ organizationId }) => encodeGlobalId('Organization', organizationId),
    }),
    restorableUntil: t.expose('restorableUntil', {
      type: 'DateTime',
      description: 'Until when an owner can restore it: see `Viewer.deletedOrganizations`.',
    }),
  }),
});

const RestoreDeletedOrganizationInput = builder.inputType('RestoreDeletedOrganizationInput', {
  description: 'What is to come back.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization’s global id.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindOrganization = Parameters<Context['scope']['db']['organization']['findUnique']>[0];
type FoundOrganization = Awaited<ReturnType<Context['scope']['db']['organization']['findUniqueOrThrow']>>;

const RestoreDeletedOrganizationPayload = builder
  .objectRef<Done<{ readonly organization: FoundOrganization }>>('RestoreDeletedOrganizationPayload')
  .implement({
    description: 'An organization that is back; `switchOrganization` goes there.',
    fields: (t) => ({
      organization: t.field({
        type: OrganizationRef,
        description: 'The organization.',
        resolve: ({ organization }) => organization as never,
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

builder.mutationFields((t) => ({
  deleteOrganization: t.field({
    type: DeleteOrganizationPayload,
    description:
      'Deletes the organization that the session works in: nobody sees it any more, its slug and its domains are free, and the sessions that work in it are over. Owners restore it for some time, and then it is purged. For owners, with a proof that is minutes old: see `stepUp`.',
    args: { input: t.arg({ type: DeleteOrganizationInput, required: true, description: 'Which.' }) },
    resolve: (_root, { input }, context) => deleteOrganization(context, input),
  }),
  restoreDeletedOrganization: t.field({
    type: RestoreDeletedOrganizationPayload,
    description:
      'Brings a deleted organization back, for whoever owned it, from any session: its links, members and settings as they were, its domains unverified, and its slug with a number behind it if that was taken.',
    args: { input: t.arg({ type: RestoreDeletedOrganizationInput, required: true, description: 'Which.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Organization', path: ['organization'] });
      const named = decodeGlobalId(input.organizationId);
      return restoreDeletedOrganization(context, {
        organizationId: named?.type === 'Organization' ? named.id : null,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.organization.findUnique({ ...query, where: { id } } as FindOrganization) as Deed<FoundOrganization | null>,
      });
    },
  }),
}));
