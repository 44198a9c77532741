import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import { readSiweMessage, refusalOf, type SiweMessage } from '../model.ts';
import { openSession, type SignedIn } from './openSession.ts';
import { takeRateLimit } from './takeRateLimit.ts';

/** What a wallet hands over to sign in. */
export interface SignInInput {
  readonly message: string;
  readonly signature: string;
}

/**
 * Signs in with a text of EIP-4361 and its signature, in the order of docs/domains/identity.md: size and grammar,
 * domain and URI, chain, times, nonce, signature. Whoever is not known yet signs up.
 */
export async function signInWithEthereum(context: Context, input: SignInInput): Promise<SignedIn> {
  const siwe = readSiweMessage(input.message, input.signature);
  const now = await takeRateLimit(context, context.identityScope({}).db, {
    deed: 'sign-in',
    allowed: context.environment.LIMIT_SIGN_INS_PER_MINUTE,
    address: siwe?.address ?? null,
  });
  try {
    if (!siwe) throw identityErrors.SIWE_MALFORMED();
    await holdToPolicy(context, input, siwe, now);
    await burnNonce(context, siwe.nonce);
    const { address } = siwe;
    if (!(await context.walletVerifier.verify({ address, message: input.message, signature: input.signature }))) {
      throw identityErrors.SIWE_SIGNATURE_INVALID();
    }
    return await openSession(context, siwe).catch((error: unknown) => {
      // Two first sign-ins of one wallet at one instant: the unique index let one in, the other now finds its user.
      if (isUniqueViolation(error)) return openSession(context, siwe);
      throw error;
    });
  } catch (error) {
    if (error instanceof GatewayError) await recordRefusal(context, siwe, error.code);
    throw error;
  }
}

/** Steps 1 to 4, with what the challenge adds to them. */
async function holdToPolicy(context: Context, input: SignInInput, siwe: SiweMessage, now: number): Promise<void> {
  const challenge = await context.identityScope({}).db.challenge.findFirst({
    where: { nonceHash: sha256(siwe.nonce) },
    select: { domain: true, chainId: true, messageHash: true },
  });
  if (challenge) {
    const faithful = challenge.messageHash
      ? sha256(input.message).equals(challenge.messageHash)
      : siwe.resources.length === 0;
    if (!faithful) throw identityErrors.SIWE_MALFORMED();
  }
  const refusal = refusalOf(siwe, {
    origins: context.signInOrigins,
    chainIds: context.signInChainIds,
    origin: context.client.origin,
    challengeDomain: challenge?.domain ?? null,
    challengeChainId: challenge?.chainId == null ? null : Number(challenge.chainId),
    now,
  });
  if (refusal) throw refusal;
  if (context.refusedAccounts.has(siwe.address)) throw identityErrors.WALLET_KEY_PUBLIC();
}

/** Step 5: whoever deletes the row has the nonce; it is gone whatever the signature turns out to be. */
async function burnNonce(context: Context, nonce: string): Promise<void> {
  const burnt = await context.identityScope({}).db.$queryRaw<unknown[]>`
    /* burnNonce */
    delete from challenges
    where nonce_hash = ${sha256(nonce)}::bytea
      and purpose = 'SIGN_IN'
      and expires_at > clock_timestamp()
    returning id`;
  if (burnt.length === 0) throw identityErrors.SIWE_NONCE_INVALID();
}

async function recordRefusal(context: Context, siwe: SiweMessage | null, outcome: string): Promise<void> {
  await context.identityScope({}).transaction((tx) =>
    tx.signInAttempt.createMany({
      data: {
        outcome,
        domain: siwe?.domain.slice(0, 300) ?? null,
        chainId: siwe && Number.isSafeInteger(siwe.chainId) ? siwe.chainId : null,
        address: siwe?.address ?? null,
        clientAddress: context.client.address,
        requestId: context.requestId,
      },
    }),
  );
}
