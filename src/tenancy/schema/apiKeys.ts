import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import { survivorOf, withSurvivor } from '../../identity/schema/survivors.ts';
import { UserRef } from '../../identity/schema/viewer.ts';
import { KEY_MARK } from '../../kernel/apiKey.ts';
import { isKey } from '../../kernel/viewer.ts';
import { keyStatus } from '../commands/keyStatus.ts';
import { listApiKeys } from '../commands/listApiKeys.ts';
import { OrganizationRef } from './organizations.ts';

/** What an API key is for. */
export const ApiKeyKind = builder.enumType('ApiKeyKind', {
  description: 'What an API key is for.',
  values: {
    SERVICE: { description: 'A program of the organization’s own.' },
    INTEGRATION: { description: 'Somebody else’s program that works for the organization.' },
    PERSONAL: { description: 'Its maker’s own tools; it ends when its maker leaves.' },
  } as const,
});

const ApiKeyStatus = builder.enumType('ApiKeyStatus', {
  description: 'Whether an API key is good.',
  values: {
    ACTIVE: { description: 'It is.' },
    UNCONFIRMED: { description: 'Nobody answers for it, until an owner confirms it: whoever did has left.' },
    EXPIRED: { description: 'Its time is over.' },
    REVOKED: { description: 'It was ended.' },
  } as const,
});

/** A key, as who may read keys sees it. */
export const ApiKeyRef = builder.prismaNode('ApiKey', {
  nullable: true,
  description:
    'A viewer that is no person: whoever has its secret may do what its scopes name, as far as whoever answers for it may.',
  select: { organizationId: true, id: true },
  id: { resolve: ({ id }) => id },
  findUnique: inTenant,
  fields: (t) => ({
    kind: t.expose('kind', { type: ApiKeyKind, description: 'What it is for.' }),
    name: t.exposeString('name', { description: 'How it is called.' }),
    description: t.exposeString('description', { nullable: true, description: 'What there is to say of it.' }),
    prefix: t.string({
      description: 'How the key begins, so that it can be told from others; the secret behind it is kept nowhere.',
      select: { prefix: true },
      resolve: ({ prefix }) => `${KEY_MARK}${prefix}`,
    }),
    scopes: t.exposeStringList('scopes', { description: 'The permissions that it may have.' }),
    status: t.field({
      type: ApiKeyStatus,
      description: 'Whether it is good.',
      select: { revokedAt: true, expiresAt: true, responsibleId: true },
      resolve: (key, _args, { clock }) => keyStatus(key, new Date(clock.now())),
    }),
    createdBy: t.field({
      type: UserRef,
      nullable: true,
      description: 'Who made it; null for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({
        createdBy: { select: { user: withSurvivor(nestedSelection()) } },
      }),
      resolve: ({ createdBy }) => (createdBy as typeof createdBy | null) && survivorOf(createdBy.user),
    }),
    responsible: t.field({
      type: UserRef,
      nullable: true,
      description:
        'Who answers for it, and what they may do it may at most; null once they have left, and for whoever may not read members.',
      select: (_args, _context, nestedSelection) => ({ responsible: { select: { user: nestedSelection() } } }),
      resolve: ({ responsible }) => responsible?.user ?? null,
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its time is over; null for never.',
    }),
    allowedAddresses: t.exposeStringList('allowedAddresses', {
      description: 'The addresses and networks that it is good from; from everywhere when there are none.',
    }),
    allowedOrigins: t.exposeStringList('allowedOrigins', {
      description: 'The origins of pages that it is good from; from everywhere when there are none.',
    }),
    monthlyLimit: t.exposeInt('monthlyLimit', {
      nullable: true,
      description: 'How many requests it is good for in a calendar month of UTC; null for any number.',
    }),
    requestsThisMonth: t.int({
      nullable: true,
      description: 'How many of them are used up; null without a limit, since they are not counted then.',
      select: { monthlyLimit: true, uses: { select: { month: true, calls: true } } },
      resolve: ({ monthlyLimit, uses }, _args, { clock }) => {
        if (monthlyLimit === null) return null;
        const isThisMonth = uses?.month?.toISOString().slice(0, 7) === new Date(clock.now()).toISOString().slice(0, 7);
        return isThisMonth ? (uses?.calls ?? 0) : 0;
      },
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The hour that it was used in last; null when it never was.',
      select: { uses: { select: { lastUsedAt: true } } },
      resolve: ({ uses }) => uses?.lastUsedAt ?? null,
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was ended.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const ApiKeyFilter = builder.inputType('ApiKeyFilter', {
  description: 'Which API keys are wanted: those that all of it is true of.',
  fields: (t) => ({
    kind: t.field({ type: ApiKeyKind, description: 'For this.' }),
    status: t.field({ type: ApiKeyStatus, description: 'That are good, or not for this reason.' }),
    text: t.string({ description: 'With this in their name or their description, whatever its case.' }),
    createdFrom: t.field({ type: 'DateTime', description: 'Made at this moment or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Made before this moment.' }),
  }),
});

const ApiKeyConnection = builder.connectionObject(
  { type: ApiKeyRef, name: 'ApiKeyConnection', description: 'A page of API keys.' },
  { name: 'ApiKeyEdge', description: 'One API key of a page.' },
);

type FindKeys = Parameters<Context['scope']['db']['apiKey']['findMany']>[0];

builder.prismaObjectField(OrganizationRef, 'apiKeys', (t) =>
  t.connection(
    {
      type: ApiKeyRef,
      description:
        'The organization’s API keys, the newest first, those that are good no more too; empty without the permission `keys:read`.',
      args: { filter: t.arg({ type: ApiKeyFilter, description: 'Which ones; all when absent.' }) },
      resolve: ({ id: organizationId }, { filter, ...page }, context, info) => {
        const query: object = queryFromInfo({ context, info, typeName: 'ApiKey', path: ['edges', 'node'] });
        return listApiKeys(context, {
          organizationId,
          filter: filter ?? {},
          page,
          load: (ids) =>
            context.scope.db.apiKey.findMany({
              ...query,
              where: { organizationId, id: { in: [...ids] } },
            } as FindKeys),
        }) as never;
      },
    },
    ApiKeyConnection,
  ),
);

builder.queryField('apiKey', (t) =>
  t.prismaField({
    type: ApiKeyRef,
    nullable: true,
    description: 'The API key that asks; null for everybody else.',
    resolve: (query, _root, _args, context) =>
      isKey(context.viewer)
        ? context.scope.db.apiKey.findUnique({ ...query, where: inTenant(context.viewer.keyId, context) })
        : null,
  }),
);
