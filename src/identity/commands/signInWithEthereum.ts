import type { Context } from '../../context.ts';
import type { SignedText } from '../model.ts';
import { openProvedSession } from './openProvedSession.ts';
import type { SignedIn } from './openSession.ts';
import { proveWallet } from './proveWallet.ts';

/**
 * Signs in with a text of EIP-4361 and its signature. Whoever is not known yet signs up, but for an organization's own
 * domain: there only its members sign in.
 */
export async function signInWithEthereum(
  context: Context,
  { invitationToken, ...signed }: SignedText & { readonly invitationToken?: string | null | undefined },
): Promise<SignedIn> {
  return proveWallet(context, { ...signed, purpose: 'SIGN_IN' }, (wallet, own) =>
    openProvedSession(context, wallet, own, invitationToken ?? null),
  );
}
