import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { apiKeyRevoked } from '../events.ts';
import { changeApiKey } from './changeApiKey.ts';

/**
 * Ends an API key: its next statement is refused. Whoever may write keys may do so at any time, with no fresh proof. One
 * that is revoked already stays as it is.
 * @param input.id the key's; null when what was given names none
 * @throws API_KEY_UNKNOWN
 */
export async function revokeApiKey(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly apiKeyId: string }>> {
  return changeApiKey(context, {
    ...input,
    operation: 'revokeApiKey',
    change: async (tx, { id, revoked }) => {
      if (revoked) return null;
      await tx.$executeRaw`
        /* revokeApiKey */
        update api_keys
        set revoked_at = clock_timestamp()
        where organization_id = current_organization_id() and id = ${id}::uuid`;
      return apiKeyRevoked;
    },
  });
}
