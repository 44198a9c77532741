import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { updateOrganization } from '../commands/updateOrganization.ts';
import { updateOrganizationSettings } from '../commands/updateOrganizationSettings.ts';
import { updateStoreConfiguration } from '../commands/updateStoreConfiguration.ts';
import { OrganizationRef } from './organizations.ts';

builder.prismaObject('OrganizationSettings', {
  description: 'What an organization has chosen.',
  select: { id: true },
  fields: (t) => ({
    requireStepUp: t.exposeBoolean('requireStepUp', {
      description:
        'Whether what moves money’s way, or who may act, asks for a proof that is minutes old: see `stepUp`. It does of whoever acts.',
    }),
    redirectOrigins: t.exposeStringList('redirectOrigins', {
      description: 'Where payers may be sent on to, beside the organization’s own verified domains.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When they were changed last.' }),
  }),
});

builder.prismaObject('StoreConfiguration', {
  description:
    'How an organization’s store looks and what it can do. What the keys mean is up to front ends; the checkout page reads four of the theme.',
  select: { id: true },
  fields: (t) => ({
    config: t.expose('config', { type: 'JsonObject', description: 'Whatever a store needs to know.' }),
    theme: t.expose('theme', {
      type: 'JsonObject',
      description:
        'Colours, fonts and the like, in one level. `accent`, `background`, `font` and `logo` are shown by the checkout page.',
    }),
    layout: t.expose('layout', { type: 'JsonObject', description: 'What stands where.' }),
    features: t.expose('features', { type: 'JsonObject', description: 'What is switched on and off, by name.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was changed last.' }),
  }),
});

builder.prismaObjectFields(OrganizationRef, (t) => ({
  description: t.exposeString('description', { nullable: true, description: 'What it is and does.' }),
  contactEmail: t.exposeString('contactEmail', { nullable: true, description: 'Where it can be written to.' }),
  address: t.exposeString('address', { nullable: true, description: 'Its postal address.' }),
  metadata: t.field({
    type: 'JsonObject',
    description: 'What its people keep with it: at most 50 keys, with a text, a number or a boolean for each.',
    select: { metadata: true },
    resolve: ({ metadata }) => metadata ?? {},
  }),
  settings: t.relation('settings', {
    nullable: true,
    description: 'What it has chosen; null for an organization that the session does not work in.',
  }),
  storeConfiguration: t.relation('storeConfiguration', {
    nullable: true,
    description: 'How its store looks; null for an organization that the session does not work in.',
  }),
}));

const UpdateOrganizationInput = builder.inputType('UpdateOrganizationInput', {
  description: 'What is to change: what is absent stays as it is, and null takes it away.',
  fields: (t) => ({
    name: t.string({ description: 'How the organization is called; 1 to 100 characters, never null.' }),
    slug: t.string({
      description:
        'Its name in addresses: 3 to 60 of a–z, 0–9 and single hyphens. Unique, some are reserved, and never null.',
    }),
    description: t.string({ description: 'What it is and does; at most 2,000 characters.' }),
    contactEmail: t.string({ description: 'Where it can be written to; an e-mail address.' }),
    address: t.string({ description: 'Its postal address; at most 1,000 characters.' }),
    metadata: t.field({
      type: 'JsonObject',
      description:
        'All of it anew: at most 50 keys of 500 characters, with a text of as many, a number or a boolean for each.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const UpdateOrganizationSettingsInput = builder.inputType('UpdateOrganizationSettingsInput', {
  description: 'The settings as they are to be; what is absent stays.',
  fields: (t) => ({
    requireStepUp: t.boolean({ description: 'Whether what is dangerous asks for a fresh proof.' }),
    redirectOrigins: t.stringList({
      description:
        'Where payers may be sent on to: at most 50 origins, all of them anew; https outside of development.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const UpdateStoreConfigurationInput = builder.inputType('UpdateStoreConfigurationInput', {
  description: 'The parts that are to change, each given as a whole; null empties one, and what is absent stays.',
  fields: (t) => ({
    config: t.field({ type: 'JsonObject', description: 'At most 16 KB and five levels.' }),
    theme: t.field({
      type: 'JsonObject',
      description: 'At most 50 keys of 500 characters, with a text of as many, a number or a boolean for each.',
    }),
    layout: t.field({ type: 'JsonObject', description: 'At most 16 KB and five levels.' }),
    features: t.field({
      type: 'JsonObject',
      description: 'At most 50 keys of 500 characters, with a boolean for each.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

type FindOrganization = Parameters<Context['scope']['db']['organization']['findUniqueOrThrow']>[0];
type FoundOrganization = Awaited<ReturnType<Context['scope']['db']['organization']['findUniqueOrThrow']>>;
type ChangedOrganization = Done<{ readonly organization: FoundOrganization }>;

/** An organization that was just changed, for one mutation. */
function changedPayload(name: string) {
  return builder.objectRef<ChangedOrganization>(name).implement({
    description: 'An organization that was just changed.',
    fields: (t) => ({
      organization: t.field({
        type: OrganizationRef,
        description: 'The organization.',
        resolve: ({ organization }) => organization as never,
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

/** What is common to the three: the key, and how the organization is read for the answer. */
function readChange(
  idempotencyKey: string | null | undefined,
  context: Context,
  info: GraphQLResolveInfo,
): {
  readonly idempotencyKey: GivenKey | null;
  readonly read: (tx: Pick<Transaction, 'organization'>, id: string) => Deed<FoundOrganization>;
} {
  const query: object = queryFromInfo({ context, info, typeName: 'Organization', path: ['organization'] });
  return {
    idempotencyKey: givenKey(idempotencyKey, context, info),
    read: (tx, id) =>
      tx.organization.findUniqueOrThrow({ ...query, where: { id } } as FindOrganization) as Deed<FoundOrganization>,
  };
}

builder.mutationFields((t) => ({
  updateOrganization: t.field({
    type: changedPayload('UpdateOrganizationPayload'),
    description: 'Changes what the organization says of itself. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: UpdateOrganizationInput, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, context, info) =>
      updateOrganization(context, { ...input, ...readChange(input.idempotencyKey, context, info) }),
  }),
  updateOrganizationSettings: t.field({
    type: changedPayload('UpdateOrganizationSettingsPayload'),
    description: 'Changes the organization’s settings. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: UpdateOrganizationSettingsInput, required: true, description: 'The settings.' }) },
    resolve: (_root, { input }, context, info) =>
      updateOrganizationSettings(context, { ...input, ...readChange(input.idempotencyKey, context, info) }),
  }),
  updateStoreConfiguration: t.field({
    type: changedPayload('UpdateStoreConfigurationPayload'),
    description: 'Changes the configuration of the organization’s store. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: UpdateStoreConfigurationInput, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, context, info) =>
      updateStoreConfiguration(context, { ...input, ...readChange(input.idempotencyKey, context, info) }),
  }),
}));
