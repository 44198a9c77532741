import type { Context } from '../../context.ts';
import { builder } from '../../graphql/builder.ts';
import { inTenant } from '../../graphql/node.ts';
import type { Done } from '../../idempotency/commands/once.ts';
import { givenKey, IDEMPOTENCY_KEY, REPLAYED } from '../../idempotency/schema.ts';
import { decodeGlobalId } from '../../kernel/ids.ts';
import { confirmApiKey } from '../commands/confirmApiKey.ts';
import { createApiKey, type MadeKey } from '../commands/createApiKey.ts';
import { revokeApiKey } from '../commands/revokeApiKey.ts';
import { updateApiKey } from '../commands/updateApiKey.ts';
import { ApiKeyKind, ApiKeyRef } from './apiKeys.ts';

const NAME = 'How it is called; 1 to 100 characters.';
const DESCRIPTION = 'What there is to say of it; at most 1,000 characters.';
const EXPIRES_AT = 'When its time is over; never when absent.';
const ADDRESSES =
  'At most 20 addresses and networks that it is good from, such as `192.0.2.0/24`; everywhere when empty.';
const ORIGINS =
  'At most 20 origins of pages that it is good from, such as `https://shop.example.com`; everywhere when empty.';
const LIMIT = 'How many requests it is good for in a calendar month of UTC; any number when absent.';

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'An API key to be made.',
  fields: (t) => ({
    kind: t.field({ type: ApiKeyKind, required: true, description: 'What it is for.' }),
    name: t.string({ required: true, description: NAME }),
    description: t.string({ description: DESCRIPTION }),
    scopes: t.stringList({
      required: true,
      description:
        'The permissions that it may have, at least one: `organization:read`, `members:read`, `payment-links:read`, `payments:read`, `payments:write`, `events:read` or `audit:read`; none that the maker lacks.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: EXPIRES_AT }),
    allowedAddresses: t.stringList({ description: ADDRESSES }),
    allowedOrigins: t.stringList({ description: ORIGINS }),
    monthlyLimit: t.int({ description: LIMIT }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const UpdateApiKeyInput = builder.inputType('UpdateApiKeyInput', {
  description: 'What is to change of an API key: what is absent stays as it is, and null takes it away.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The key’s global id.' }),
    name: t.string({ description: NAME }),
    description: t.string({ description: DESCRIPTION }),
    expiresAt: t.field({ type: 'DateTime', description: EXPIRES_AT }),
    allowedAddresses: t.stringList({ description: ADDRESSES }),
    allowedOrigins: t.stringList({ description: ORIGINS }),
    monthlyLimit: t.int({ description: LIMIT }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

/** An API key, for one mutation. */
function keyInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      id: t.id({ required: true, description: 'The key’s global id.' }),
      idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
    }),
  });
}

type FindKey = Parameters<Context['scope']['db']['apiKey']['findUniqueOrThrow']>[0];

function loadKey(context: Context, apiKeyId: string, query: object) {
  return context.scope.db.apiKey.findUniqueOrThrow({ ...query, where: inTenant(apiKeyId, context) } as FindKey);
}

const CreateApiKeyPayload = builder.objectRef<Done<MadeKey>>('CreateApiKeyPayload').implement({
  description: 'An API key that was just made.',
  fields: (t) => ({
    apiKey: t.prismaField({
      type: ApiKeyRef,
      description: 'The key, without its secret.',
      resolve: (query, { apiKeyId }, _args, context) => loadKey(context, apiKeyId, query),
    }),
    key: t.exposeString('text', {
      nullable: true,
      description:
        'The whole key, to be sent as `Authorization: Bearer …` or `X-API-Key`. It is shown this once; null when it was made before with the same idempotency key.',
    }),
    replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
  }),
});

/** An API key that was just changed, for one mutation. */
function changedPayload(name: string, description: string) {
  return builder.objectRef<Done<{ readonly apiKeyId: string }>>(name).implement({
    description,
    fields: (t) => ({
      apiKey: t.prismaField({
        type: ApiKeyRef,
        description: 'The key.',
        resolve: (query, { apiKeyId }, _args, context) => loadKey(context, apiKeyId, query),
      }),
      replayed: t.exposeBoolean('replayed', { description: REPLAYED }),
    }),
  });
}

/** What names no key is answered as one that the organization has not. */
function readId(globalId: string): string | null {
  const named = decodeGlobalId(globalId);
  return named?.type === 'ApiKey' ? named.id : null;
}

const ConfirmApiKeyInput = keyInput('ConfirmApiKeyInput', 'The key to answer for.');
const RevokeApiKeyInput = keyInput('RevokeApiKeyInput', 'The key to end.');

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayload,
    description:
      'Makes an API key, which the viewer answers for. Needs a proof that is minutes old, see `stepUp`, and the permission `keys:write`.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context, info) =>
      createApiKey(context, { ...input, idempotencyKey: givenKey(input.idempotencyKey, context, info) }),
  }),
  updateApiKey: t.field({
    type: changedPayload('UpdateApiKeyPayload', 'An API key that was just changed.'),
    description:
      'Changes what an API key is called, and where, how long and how often it is good; never what it may do. Needs the permission `keys:write`.',
    args: { input: t.arg({ type: UpdateApiKeyInput, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, context, info) =>
      updateApiKey(context, {
        ...input,
        id: readId(input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  confirmApiKey: t.field({
    type: changedPayload('ConfirmApiKeyPayload', 'An API key that the viewer answers for.'),
    description:
      'Makes the viewer answer for an API key that is not personal. For owners, with a proof that is minutes old: see `stepUp`. Needs the permission `keys:write`.',
    args: { input: t.arg({ type: ConfirmApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context, info) =>
      confirmApiKey(context, {
        id: readId(input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
  revokeApiKey: t.field({
    type: changedPayload('RevokeApiKeyPayload', 'An API key that is good no more.'),
    description: 'Ends an API key at once. Doing it twice is doing it once. Needs the permission `keys:write`.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context, info) =>
      revokeApiKey(context, {
        id: readId(input.id),
        idempotencyKey: givenKey(input.idempotencyKey, context, info),
      }),
  }),
}));
