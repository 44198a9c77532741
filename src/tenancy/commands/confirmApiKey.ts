import type { Context } from '../../context.ts';
import type { Done, GivenKey } from '../../idempotency/commands/once.ts';
import { requireFreshProof } from '../../identity/commands/requireFreshProof.ts';
import { tenancyErrors } from '../errors.ts';
import { apiKeyConfirmed } from '../events.ts';
import { changeApiKey } from './changeApiKey.ts';

/**
 * Makes the viewer, who owns the organization, answer for an API key, whoever did before: it goes on within what the
 * viewer may do. A personal key is its maker's alone. Needs a fresh proof.
 * @param input.id the key's; null when what was given names none
 * @throws API_KEY_UNKNOWN, API_KEY_REVOKED, API_KEY_NOT_CONFIRMABLE, STEP_UP_REQUIRED, SESSION_BOUND
 */
export async function confirmApiKey(
  context: Context,
  input: { readonly id: string | null; readonly idempotencyKey: GivenKey | null },
): Promise<Done<{ readonly apiKeyId: string }>> {
  return changeApiKey(context, {
    ...input,
    operation: 'confirmApiKey',
    require: (tx) => requireFreshProof(context, tx),
    change: async (tx, { id, revoked }) => {
      if (revoked) throw tenancyErrors.API_KEY_REVOKED();
      const [done] = await tx.$queryRaw<{ confirmed: boolean }[]>`
        /* confirmApiKey */
        select confirm_api_key(${id}::uuid) as confirmed`;
      if (!done?.confirmed) throw tenancyErrors.API_KEY_NOT_CONFIRMABLE();
      return apiKeyConfirmed;
    },
  });
}
