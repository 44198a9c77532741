import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import {
  type ChallengePurpose,
  type ProvedWallet,
  provedWallet,
  readSiweMessage,
  refusalOf,
  type SignedText,
  type SiweMessage,
  type WalletSource,
} from '../model.ts';
import { checkSignature } from './checkSignature.ts';
import { findSignInDomain, type SignInDomain } from './findSignInDomain.ts';
import { forgetFailures } from './forgetFailures.ts';
import { recordRefusal } from './recordRefusal.ts';
import { type Attempt, takeAttempt } from './takeAttempt.ts';
import { withNonce } from './withNonce.ts';

/** A text and its signature. */
export interface AnsweredChallenge extends SignedText {
  /** The challenge's own text, where what was signed is the same in somebody else's words; else the message is it. */
  readonly ready?: string | undefined;
}

/**
 * Proves a wallet by a text of EIP-4361 and its signature, in the order of docs/domains/identity.md: size and grammar,
 * domain and URI, chain, times, nonce, signature. Every attempt within the limits leaves a row in the trail.
 * @param then does what the wallet was proved for; what it throws is this attempt's outcome. It is handed the
 * organization's own domain that the text is of, if it is one
 */
export async function proveWallet<Result>(
  context: Context,
  input: AnsweredChallenge & { readonly purpose: ChallengePurpose },
  then: (wallet: ProvedWallet, own: SignInDomain | null) => Promise<Result>,
): Promise<Result> {
  const siwe = readSiweMessage(input.message, input.signature);
  const attempt = await takeAttempt(context, siwe);
  try {
    if (!siwe) throw identityErrors.SIWE_MALFORMED();
    const own = input.purpose === 'SIGN_IN' ? await findSignInDomain(context, `https://${siwe.domain}`) : null;
    holdToPolicy(context, input, siwe, { ...attempt, own });
    return await withNonce(context, { nonce: siwe.nonce, purpose: input.purpose }, async () => {
      const { address, chainId } = siwe;
      const { message, signature } = input;
      const { kind, factory } = await checkSignature(context, { address, chainId, message, signature });
      if (attempt.hasFailed) await forgetFailures(context, address);
      return then(provedWallet(siwe, kind, { message, signature }, sourceOf(context, factory)), own);
    });
  } catch (error) {
    if (error instanceof GatewayError) {
      await recordRefusal(context, {
        purpose: input.purpose,
        outcome: error.code,
        domain: siwe?.domain ?? null,
        chainId: siwe && Number.isSafeInteger(siwe.chainId) ? siwe.chainId : null,
        address: siwe?.address ?? null,
      });
    }
    throw error;
  }
}

/** Steps 1 to 4, with what the challenge adds to them. */
function holdToPolicy(
  context: Context,
  input: AnsweredChallenge,
  siwe: SiweMessage,
  { now, challenge, own }: Pick<Attempt, 'now' | 'challenge'> & { readonly own: SignInDomain | null },
): void {
  if (challenge) {
    const faithful = challenge.messageHash
      ? sha256(input.ready ?? input.message).equals(challenge.messageHash)
      : siwe.resources.length === 0;
    if (!faithful) throw identityErrors.SIWE_MALFORMED();
  }
  const refusal = refusalOf(siwe, {
    origins: own ? [own.origin] : context.signInOrigins,
    chainIds: context.signInChainIds,
    origin: context.client.origin,
    challengeDomain: challenge?.domain ?? null,
    challengeChainId: challenge?.chainId == null ? null : Number(challenge.chainId),
    now,
  });
  if (refusal) throw refusal;
  if (context.refusedAccounts.has(siwe.address)) throw identityErrors.WALLET_KEY_PUBLIC();
}

/** What a wallet is called; a contract that lies about its factory gains that name, and nothing with it. */
function sourceOf({ environment }: Context, factory: string | null): WalletSource {
  const known = factory !== null && environment.THIRDWEB_ACCOUNT_FACTORIES.includes(factory);
  return known ? 'THIRDWEB_SMART' : 'EXTERNAL';
}
