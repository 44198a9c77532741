import type { Context } from '../../context.ts';
import { type ChallengedWallet, giveChallenge, type WalletChallenge } from './giveChallenge.ts';

/** Gives out a nonce that can be used for one sign-in within five minutes. */
export async function createSignInChallenge(context: Context, input: ChallengedWallet): Promise<WalletChallenge> {
  const statement = context.environment.SIGN_IN_STATEMENT;
  return giveChallenge(context, { ...input, purpose: 'SIGN_IN', statement, userId: null });
}
