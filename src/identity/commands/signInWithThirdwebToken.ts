import type { Context } from '../../context.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { countedAs } from '../model.ts';
import { findSignInDomain, type SignInDomain } from './findSignInDomain.ts';
import { forgetFailures } from './forgetFailures.ts';
import { openProvedSession } from './openProvedSession.ts';
import type { SignedIn } from './openSession.ts';
import { readThirdwebWallet } from './readThirdwebWallet.ts';
import { recordRefusal } from './recordRefusal.ts';
import { type Attempt, takeAttempt } from './takeAttempt.ts';
import { withNonce } from './withNonce.ts';

/** A token of thirdweb's, and the nonce of a challenge. */
interface GivenToken {
  readonly authToken: string;
  readonly nonce: string;
  /** The chain that a smart account is looked for on; the challenge's, else the first allowed one, when null. */
  readonly chainId: number | null;
  /** What a stranger signs up by where strangers must be invited. */
  readonly invitation: string | null;
}

/**
 * Signs in with an in-app wallet's auth token. Nothing is signed, so the token is held to the challenge: its nonce is
 * used up once, its page and its chain are what count. Attempts are counted by client and by token.
 */
export async function signInWithThirdwebToken(context: Context, input: GivenToken): Promise<SignedIn> {
  const counted = countedAs(input.authToken);
  const attempt = await takeAttempt(context, { nonce: input.nonce, address: counted });
  const said = readTerms(context, input, attempt);
  try {
    const own = await findSignInDomain(context, said.origin);
    holdToTerms(context, input, { ...attempt, ...said, own });
    return await withNonce(context, { nonce: input.nonce, purpose: 'SIGN_IN' }, async () => {
      const wallet = await readThirdwebWallet(context, { ...input, ...said });
      if (attempt.hasFailed) await forgetFailures(context, counted);
      return openProvedSession(context, wallet, own, input.invitation);
    });
  } catch (error) {
    if (error instanceof GatewayError) {
      const { domain, chainId } = said;
      await recordRefusal(context, {
        purpose: 'SIGN_IN',
        outcome: error.code,
        domain,
        chainId,
        address: null,
        counted,
      });
    }
    throw error;
  }
}

interface Terms {
  /** Of the page that asks, or of the one that the challenge was for. */
  readonly origin: string | null;
  readonly domain: string | null;
  readonly chainId: number;
}

function readTerms(context: Context, { chainId }: GivenToken, { challenge }: Attempt): Terms {
  const { client, signInOrigins, signInChainIds } = context;
  const bound = challenge?.domain ?? null;
  const ours = signInOrigins.find((origin) => new URL(origin).host === bound);
  const origin = client.origin ?? ours ?? (bound === null ? null : `https://${bound}`);
  const given = chainId ?? (challenge?.chainId == null ? null : Number(challenge.chainId));
  const domain = origin !== null && URL.canParse(origin) ? new URL(origin).host : bound;
  return { origin, domain, chainId: given ?? signInChainIds[0] ?? 1 };
}

/** Steps 2 and 3 of a text, as far as there is one to say something. */
function holdToTerms(
  { signInOrigins, signInChainIds }: Context,
  { authToken }: GivenToken,
  { challenge, origin, domain, chainId, own }: Attempt & Terms & { readonly own: SignInDomain | null },
): void {
  if (authToken === '') throw identityErrors.THIRDWEB_TOKEN_INVALID();
  const allowed = origin === null || own !== null || signInOrigins.includes(origin);
  const bound = challenge?.domain ?? null;
  if (!allowed || (bound !== null && bound !== domain))
    throw identityErrors.SIWE_DOMAIN_MISMATCH({ domain: domain ?? '' });
  const named = challenge?.chainId ?? null;
  if (!signInChainIds.includes(chainId) || (named !== null && Number(named) !== chainId)) {
    throw identityErrors.SIWE_CHAIN_NOT_ALLOWED({ chainId });
  }
}
