import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../context.ts';
import type { Deed } from '../../database/scope.ts';
import { builder } from '../../graphql/builder.ts';
import { pageOf, pageQuery, SORT_KEY } from '../../graphql/connection.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId, encodeGlobalId } from '../../kernel/ids.ts';
import { addDomain } from '../commands/addDomain.ts';
import { removeDomain } from '../commands/removeDomain.ts';
import { setPrimaryDomain } from '../commands/setPrimaryDomain.ts';
import { verifyDomain } from '../commands/verifyDomain.ts';
import { recordOf } from '../model.ts';
import { OrganizationRef } from './organizations.ts';

const DomainKind = builder.enumType('DomainKind', {
  description: 'What a domain is to its organization.',
  values: {
    SUBDOMAIN: { description: 'A host below another domain, such as `pay.acme.com`.' },
    CUSTOM: { description: 'A domain as it was registered, such as `acme.com`.' },
  } as const,
});

const DomainRecord = builder.objectRef<{ readonly name: string; readonly value: string }>('DomainRecord').implement({
  description: 'The TXT record that is to be published, and then to stay.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The record’s name.' }),
    value: t.exposeString('value', { description: 'What it says.' }),
  }),
});

const Domain = builder.prismaNode('OrganizationDomain', {
  name: 'Domain',
  nullable: true,
  description: 'A host that the organization says is its own. Once verified, no other organization can have it.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    kind: t.expose('kind', { type: DomainKind, description: 'What it is to the organization.' }),
    host: t.exposeString('host', { description: 'The host, in lower case and punycode.' }),
    primary: t.exposeBoolean('isPrimary', { description: 'Whether it is the one that the organization shows.' }),
    verifiedAt: t.expose('verifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its record said that it is the organization’s; null while it counts for nothing.',
    }),
    record: t.field({
      type: DomainRecord,
      description: 'What its TXT record must say.',
      select: { host: true, verificationToken: true },
      resolve: ({ host, verificationToken }) => recordOf({ host, token: verificationToken }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
  }),
});

const DomainConnection = builder.connectionObject(
  { type: Domain, name: 'DomainConnection', description: 'A page of domains.' },
  { name: 'DomainEdge', description: 'One domain of a page.' },
);

builder.prismaObjectField(OrganizationRef, 'domains', (t) =>
  t.connection(
    {
      type: Domain,
      description: 'The organization’s domains, the newest first.',
      select: (args, _context, nestedSelection) => ({
        domains: { ...pageQuery(args), ...(nestedSelection(SORT_KEY as never, ['edges', 'node']) as object) },
      }),
      resolve: ({ domains }, args) => pageOf(domains as never, args) as never,
    },
    DomainConnection,
  ),
);

type FindDomain = Parameters<Context['scope']['db']['organizationDomain']['findUniqueOrThrow']>[0];
type FoundDomain = Awaited<ReturnType<Context['scope']['db']['organizationDomain']['findUniqueOrThrow']>>;

const AddDomainInput = builder.inputType('AddDomainInput', {
  description: 'A host that is to be the organization’s.',
  fields: (t) => ({
    host: t.string({ required: true, description: 'The host, without a scheme, port or path.' }),
    kind: t.field({ type: DomainKind, required: true, description: 'What it is to the organization.' }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const AddDomainPayload = builder.objectRef<Done<{ readonly domain: FoundDomain }>>('AddDomainPayload').implement({
  description: 'A domain that was just added, and counts for nothing until it is verified.',
  fields: (t) => ({
    domain: t.field({ type: Domain, description: 'The domain.', resolve: ({ domain }) => domain as never }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

const VerifyDomainInput = builder.inputType('VerifyDomainInput', {
  description: 'The domain to verify.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Its global id.' }) }),
});

const VerifyDomainPayload = builder.objectRef<{ readonly domainId: string }>('VerifyDomainPayload').implement({
  description: 'A domain that is the organization’s.',
  fields: (t) => ({
    domain: t.prismaField({
      type: Domain,
      description: 'The domain.',
      resolve: (query, { domainId }, _args, context) => loadDomain(context, domainId, query),
    }),
  }),
});

const SetPrimaryDomainPayload = builder
  .objectRef<Done<{ readonly domainId: string }>>('SetPrimaryDomainPayload')
  .implement({
    description: 'The domain that the organization shows.',
    fields: (t) => ({
      domain: t.prismaField({
        type: Domain,
        description: 'The domain.',
        resolve: (query, { domainId }, _args, context) => loadDomain(context, domainId, query),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });

const RemoveDomainPayload = builder.objectRef<Done<{ readonly domainId: string }>>('RemoveDomainPayload').implement({
  description: 'A domain that the organization has no more.',
  fields: (t) => ({
    domainId: t.id({
      description: 'The global id that it had.',
      resolve: ({ domainId }) => encodeGlobalId('Domain', domainId),
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

function loadDomain(context: Context, domainId: string, query: object): Promise<FoundDomain> {
  return context.scope.db.organizationDomain.findUniqueOrThrow({
    ...query,
    where: inTenant(domainId, context),
  } as FindDomain);
}

/** A domain of the organization, for one mutation. */
function domainInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      id: t.id({ required: true, description: 'Its global id.' }),
      idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
    }),
  });
}

const SetPrimaryDomainInput = domainInput('SetPrimaryDomainInput', 'The domain to show.');
const RemoveDomainInput = domainInput('RemoveDomainInput', 'The domain to remove.');

/** What names no domain is answered as one that the organization has not. */
function readId(globalId: string): string | null {
  const named = decodeGlobalId(globalId);
  return named?.type === 'Domain' ? named.id : null;
}

function readDomain(
  { id, idempotencyKey }: { readonly id: string; readonly idempotencyKey?: string | null | undefined },
  context: Context,
  info: GraphQLResolveInfo,
): { readonly id: string | null; readonly idempotencyKey: GivenKey | null } {
  return { id: readId(id), idempotencyKey: givenKey(idempotencyKey, context, info) };
}

builder.mutationFields((t) => ({
  addDomain: t.field({
    type: AddDomainPayload,
    description: 'Adds a host that the organization says is its own. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: AddDomainInput, required: true, description: 'The host.' }) },
    resolve: (_root, { input }, context, info) => {
      const query: object = queryFromInfo({ context, info, typeName: 'Domain', path: ['domain'] });
      return addDomain(context, {
        ...input,
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
        read: (tx, id) =>
          tx.organizationDomain.findUniqueOrThrow({
            ...query,
            where: inTenant(id, context),
          } as FindDomain) as Deed<FoundDomain>,
      });
    },
  }),
  verifyDomain: t.field({
    type: VerifyDomainPayload,
    description:
      'Looks whether the domain’s TXT record says whose it is. Doing it twice is doing it once. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: VerifyDomainInput, required: true, description: 'The domain.' }) },
    resolve: (_root, { input }, context) => verifyDomain(context, { id: readId(input.id) }),
  }),
  setPrimaryDomain: t.field({
    type: SetPrimaryDomainPayload,
    description: 'Shows a verified domain, and none else. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: SetPrimaryDomainInput, required: true, description: 'The domain.' }) },
    resolve: (_root, { input }, context, info) => setPrimaryDomain(context, readDomain(input, context, info)),
  }),
  removeDomain: t.field({
    type: RemoveDomainPayload,
    description: 'Takes a domain away from the organization. Needs the permission `organization:write`.',
    args: { input: t.arg({ type: RemoveDomainInput, required: true, description: 'The domain.' }) },
    resolve: (_root, { input }, context, info) => removeDomain(context, readDomain(input, context, info)),
  }),
}));
