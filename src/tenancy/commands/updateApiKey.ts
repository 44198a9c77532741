import type { Context } from '../../context.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { requireFreshProof } from '../../identity/commands/requireFreshProof.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { tenancyErrors } from '../errors.ts';
import { apiKeyUpdated } from '../events.ts';
import { changeApiKey } from './changeApiKey.ts';
import { cleanApiKey, type KeyWords } from './cleanApiKey.ts';
import { requireOrganizationStepUp } from './requireOrganizationStepUp.ts';

/** What a key may be made to reach further by. */
const WIDENING = ['expiresAt', 'allowedAddresses', 'allowedOrigins', 'monthlyLimit'] as const;

/**
 * Changes what an API key is called and where, how long and how often it is good; never its scopes or its secret. Needs
 * `keys:write`, and for all but its words a fresh proof and each of its scopes.
 * @param input.id the key's; null when what was given names none
 * @throws FORBIDDEN, API_KEY_UNKNOWN, API_KEY_REVOKED, STEP_UP_REQUIRED, BAD_USER_INPUT
 */
export async function updateApiKey(
  context: Context,
  { id, idempotencyKey, ...given }: KeyWords & { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly apiKeyId: string }>> {
  const words = cleanApiKey(given);
  const fields = Object.keys(words);
  const widens = WIDENING.some((field) => field in words);
  if (fields.length === 0) throw kernelErrors.BAD_USER_INPUT({ field: 'input', expected: 'something to change' });
  return changeApiKey(context, {
    operation: 'updateApiKey',
    id,
    idempotencyKey,
    variables: words,
    // what may make it good again, elsewhere or more often, is as much as a new one
    require: (tx) => (widens ? requireFreshProof(context, tx) : requireOrganizationStepUp(tx)),
    change: async (tx, held) => {
      if (held.revoked) throw tenancyErrors.API_KEY_REVOKED();
      if (widens && held.lacking !== null) throw kernelErrors.FORBIDDEN({ permission: held.lacking });
      await saveKey(tx, held.id, words);
      return (fact) => apiKeyUpdated({ ...fact, fields: fields.join(' ') });
    },
  });
}

function saveKey(tx: Transaction, id: string, words: KeyWords): Deed {
  const { name, description, expiresAt, allowedAddresses, allowedOrigins, monthlyLimit } = words;
  return tx.$executeRaw`
    /* updateApiKey */
    update api_keys
    set name = coalesce(${name ?? null}, name),
        description = case when ${description !== undefined}::boolean then ${description ?? null} else description end,
        expires_at = case
          when ${expiresAt !== undefined}::boolean then ${expiresAt ?? null}::timestamptz else expires_at
        end,
        allowed_addresses = case
          when ${allowedAddresses !== undefined}::boolean then
            array(select network(each::inet)::inet from unnest(${[...(allowedAddresses ?? [])]}::text[]) as each)
          else allowed_addresses
        end,
        allowed_origins = case
          when ${allowedOrigins !== undefined}::boolean then ${[...(allowedOrigins ?? [])]}::text[] else allowed_origins
        end,
        monthly_limit = case
          when ${monthlyLimit !== undefined}::boolean then ${monthlyLimit ?? null}::integer else monthly_limit
        end
    where organization_id = current_organization_id() and id = ${id}::uuid`;
}
