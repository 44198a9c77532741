import type { Context } from '../../context.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import type { ThirdwebPayload } from '../../ports.ts';
import { identityErrors } from '../errors.ts';
import { readyTextOf, writeThirdwebMessage } from '../model.ts';
import { openProvedSession } from './openProvedSession.ts';
import type { SignedIn } from './openSession.ts';
import { proveWallet } from './proveWallet.ts';
import { signInWithThirdwebToken } from './signInWithThirdwebToken.ts';

/** What somebody signs in with who uses thirdweb: a payload with its signature, or a token with a nonce. */
export interface ThirdwebCredentials {
  readonly payload?: ThirdwebPayload | null | undefined;
  readonly signature?: string | null | undefined;
  readonly authToken?: string | null | undefined;
  readonly nonce?: string | null | undefined;
  readonly chainId?: number | null | undefined;
  /** What a stranger signs up by where strangers must be invited. */
  readonly invitationToken?: string | null | undefined;
}

/**
 * Signs in with what thirdweb's libraries hand to a page.
 * @throws THIRDWEB_NOT_CONFIGURED; BAD_USER_INPUT unless it is exactly one of the two
 */
export async function signInWithThirdweb(context: Context, input: ThirdwebCredentials): Promise<SignedIn> {
  if (!context.thirdwebAccounts) throw identityErrors.THIRDWEB_NOT_CONFIGURED();
  const { payload, signature, authToken, nonce, chainId } = input;
  const invitation = input.invitationToken ?? null;
  const isSigned = payload != null && signature != null && authToken == null && nonce == null && chainId == null;
  if (isSigned) return signInWithPayload(context, { payload, signature, invitation });
  const isToken = authToken != null && nonce != null && payload == null && signature == null;
  if (isToken) return signInWithThirdwebToken(context, { authToken, nonce, chainId: chainId ?? null, invitation });
  throw kernelErrors.BAD_USER_INPUT({
    field: 'input',
    expected: 'either `payload` and `signature`, or `authToken` and `nonce` and perhaps `chainId`',
  });
}

/**
 * The payload is held to what holds for every text; then thirdweb's own judge must agree. Of a contract's signature the
 * contract alone judges: thirdweb's would have to ask a chain of the payload's choice.
 */
async function signInWithPayload(
  context: Context,
  {
    payload,
    signature,
    invitation,
  }: { readonly payload: ThirdwebPayload; readonly signature: string; readonly invitation: string | null },
): Promise<SignedIn> {
  const message = writeThirdwebMessage(payload) ?? '';
  const ready = readyTextOf(message, payload);
  return proveWallet(context, { message, signature, ready, purpose: 'SIGN_IN' }, async (wallet, own) => {
    const agreed = wallet.kind !== 'EOA' || (await context.thirdwebAccounts?.agrees(payload, signature));
    if (!agreed) throw identityErrors.SIWE_SIGNATURE_INVALID();
    return openProvedSession(context, wallet, own, invitation);
  });
}
