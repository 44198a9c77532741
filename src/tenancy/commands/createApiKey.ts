import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { type Done, type GivenKey, once } from '../../idempotency/commands/once.ts';
import { requireFreshProof } from '../../identity/commands/requireFreshProof.ts';
import { newApiKey } from '../../kernel/apiKey.ts';
import { sha256 } from '../../kernel/digest.ts';
import { newId } from '../../kernel/ids.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { apiKeyCreated } from '../events.ts';
import { cleanApiKey, type KeyWords } from './cleanApiKey.ts';
import { cleanScopes } from './cleanScopes.ts';
import { requireKeysWrite } from './requireKeysWrite.ts';

/** What a key is for. */
export type KeyKind = 'SERVICE' | 'INTEGRATION' | 'PERSONAL';

/** A key that was made, with its text; null when it was made before. */
export interface MadeKey {
  readonly apiKeyId: string;
  readonly text: string | null;
}

/**
 * Makes an API key of the viewer's organization, which the viewer answers for. Needs `keys:write`, each of the scopes
 * and a fresh proof. Its text is told this once; a repeated idempotency key is answered without it.
 * @throws STEP_UP_REQUIRED, SESSION_BOUND, FORBIDDEN, BAD_USER_INPUT
 */
export async function createApiKey(
  context: Context,
  input: KeyWords & {
    readonly name: string;
    readonly kind: KeyKind;
    readonly scopes: readonly string[];
    readonly idempotencyKey: GivenKey | null;
  },
): Promise<Done<MadeKey>> {
  const { scope, viewer } = context;
  assertPerson(viewer);
  const { organizationId, userId } = viewer;
  const { kind, idempotencyKey, scopes: given, ...words } = input;
  const scopes = cleanScopes(given);
  const cleaned = cleanApiKey(words);
  const id = newId();
  const { prefix, secret, text } = newApiKey();
  const keyed = {
    given: idempotencyKey,
    organizationId,
    principal: `user:${userId}`,
    operation: 'createApiKey',
    variables: { kind, scopes, ...cleaned },
    resultId: id,
  };
  return once<MadeKey>(
    scope,
    keyed,
    (record) =>
      scope.transaction(async (tx) => {
        await requireFreshProof(context, tx);
        for (const deed of record(tx)) await deed;
        await requireKeysWrite(tx);
        const row = { organizationId, id, kind, prefix, secretHash: sha256(secret), scopes, userId, words: cleaned };
        await insertKey(tx, row);
        const fact = { organizationId, userId, apiKeyId: id };
        await appendEvent(context, tx, apiKeyCreated({ ...fact, kind, scopes: scopes.join(' ') }));
        return { apiKeyId: id, text };
      }),
    async (apiKeyId) => ({ apiKeyId, text: null }),
  );
}

function insertKey(
  tx: Transaction,
  key: {
    readonly organizationId: string;
    readonly id: string;
    readonly kind: KeyKind;
    readonly prefix: string;
    readonly secretHash: Buffer;
    readonly scopes: readonly string[];
    readonly userId: string;
    readonly words: KeyWords;
  },
): Deed {
  const { name, description = null, expiresAt = null, monthlyLimit = null } = key.words;
  const { allowedAddresses, allowedOrigins } = key.words;
  return tx.$executeRaw`
    /* createApiKey */
    insert into api_keys (
      organization_id, id, kind, name, description, prefix, secret_hash, scopes, created_by_id, responsible_id,
      expires_at, allowed_addresses, allowed_origins, monthly_limit
    )
    values (
      ${key.organizationId}::uuid, ${key.id}::uuid, ${key.kind}::api_key_kind, ${name}, ${description}, ${key.prefix},
      ${key.secretHash}::bytea, ${[...key.scopes]}::text[], ${key.userId}::uuid, ${key.userId}::uuid,
      ${expiresAt}::timestamptz,
      array(select network(each::inet)::inet from unnest(${[...(allowedAddresses ?? [])]}::text[]) as each),
      ${[...(allowedOrigins ?? [])]}::text[], ${monthlyLimit}::integer
    )`;
}
