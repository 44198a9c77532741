import type { Context } from '../../context.ts';
import { isForeignKeyViolation, isUniqueViolation } from '../../database/errors.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { SignedText } from '../model.ts';
import { openSession, type SignedIn } from './openSession.ts';
import { proveWallet } from './proveWallet.ts';

/** Signs in with a text of EIP-4361 and its signature. Whoever is not known yet signs up. */
export async function signInWithEthereum(context: Context, input: SignedText): Promise<SignedIn> {
  return proveWallet(context, { ...input, purpose: 'SIGN_IN' }, (wallet) =>
    openSession(context, wallet).catch((error: unknown) => {
      // Two first sign-ins of one wallet at one instant: the unique index let one in, the other now finds its user.
      if (isUniqueViolation(error) || wasUnlinked(error)) return openSession(context, wallet);
      throw error;
    }),
  );
}

/**
 * Whether the wallet may have been unlinked at this very instant: its session found no wallet any more, or its scene was
 * its former user's, who may not sign up again. Now it is a stranger's.
 */
function wasUnlinked(error: unknown): boolean {
  return isForeignKeyViolation(error) || (error instanceof GatewayError && error.code === 'FORBIDDEN');
}
