import type { Context } from '../../context.ts';
import { databaseErrors } from '../../database/errors.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { ChallengePurpose } from '../model.ts';
import { burnNonce } from './burnNonce.ts';
import { giveBackNonce } from './giveBackNonce.ts';

/**
 * Uses a nonce up for a deed. When that fails in a way that may be tried again, nothing was done, and the nonce is given
 * back: until it is, nobody else has had it.
 * @throws SIWE_NONCE_INVALID; OUTCOME_UNKNOWN when the nonce could not be given back, so that trying again is in vain
 */
export async function withNonce<Result>(
  context: Context,
  { nonce, purpose }: { readonly nonce: string; readonly purpose: ChallengePurpose },
  run: () => Promise<Result>,
): Promise<Result> {
  const burnt = await burnNonce(context, nonce, purpose);
  return run().catch(async (error: unknown) => {
    if (error instanceof GatewayError && error.definition.retryable) {
      await giveBackNonce(context, burnt).catch((cause: unknown) => {
        throw databaseErrors.OUTCOME_UNKNOWN({}, { cause });
      });
    }
    throw error;
  });
}
