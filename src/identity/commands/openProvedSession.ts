import type { Context } from '../../context.ts';
import { isForeignKeyViolation, isUniqueViolation } from '../../database/errors.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { ProvedWallet } from '../model.ts';
import type { SignInDomain } from './findSignInDomain.ts';
import { openSession, type SignedIn } from './openSession.ts';

/** Whose wallet is unlinked at this instant is a stranger, whom a rival may be before: that much can come between. */
const BEGINNINGS = 3;

/**
 * Begins a session with a wallet that was just proved, whoever else does the same at this instant.
 * @param invitation the token that a stranger signs up by where strangers must be invited; null without one
 */
export async function openProvedSession(
  context: Context,
  wallet: ProvedWallet,
  own: SignInDomain | null,
  invitation: string | null,
): Promise<SignedIn> {
  for (let beginning = 1; ; beginning += 1) {
    try {
      return await openSession(context, wallet, own, invitation);
    } catch (error) {
      // Two first sign-ins of one wallet at one instant: the unique index let one in, the other now finds its user.
      const overtaken = isUniqueViolation(error) || wasUnlinked(error);
      if (beginning === BEGINNINGS || !overtaken) throw error;
    }
  }
}

/**
 * Whether the wallet may have been unlinked at this very instant: its session found no wallet any more, or its scene was
 * its former user's, who may not sign up again. Now it is a stranger's.
 */
function wasUnlinked(error: unknown): boolean {
  return isForeignKeyViolation(error) || (error instanceof GatewayError && error.code === 'FORBIDDEN');
}
