import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import type { ChallengePurpose } from '../model.ts';
import { askerFor } from './askerFor.ts';

/**
 * Step 5: whoever deletes the row has the nonce; it is gone whatever the signature turns out to be.
 * @returns the row, should nobody have been able to check the signature
 */
export async function burnNonce(context: Context, nonce: string, purpose: ChallengePurpose): Promise<string> {
  const [[burnt]] = await context.identityScope({}).write((tx) => [
    tx.$queryRaw<{ row: string }[]>`
      /* burnNonce */
      delete from challenges
      where nonce_hash = ${sha256(nonce)}::bytea
        and purpose = ${purpose}::challenge_purpose
        and user_id is not distinct from ${askerFor(purpose, context)}::uuid
        and expires_at > clock_timestamp()
      returning to_jsonb(challenges)::text as row`,
  ]);
  if (!burnt) throw identityErrors.SIWE_NONCE_INVALID();
  return burnt.row;
}
