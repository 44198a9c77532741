import type { Context } from '../../context.ts';
import { sha256 } from '../../kernel/digest.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import {
  type ProvedWallet,
  provedWallet,
  readSiweMessage,
  refusalOf,
  type SignedText,
  type SiweMessage,
} from '../model.ts';
import { checkSignature } from './checkSignature.ts';
import { forgetFailures } from './forgetFailures.ts';
import { recordFailure } from './recordFailure.ts';
import { takeAttempt } from './takeAttempt.ts';

/** What a challenge was given out for; one for one purpose never passes for another. */
export type ChallengePurpose = 'SIGN_IN' | 'LINK' | 'STEP_UP';

/**
 * Proves a wallet by a text of EIP-4361 and its signature, in the order of docs/domains/identity.md: size and grammar,
 * domain and URI, chain, times, nonce, signature. Every attempt within the limits leaves a row in the trail.
 * @param then does what the wallet was proved for; what it throws is this attempt's outcome
 */
export async function proveWallet<Result>(
  context: Context,
  input: SignedText & { readonly purpose: ChallengePurpose },
  then: (wallet: ProvedWallet) => Promise<Result>,
): Promise<Result> {
  const siwe = readSiweMessage(input.message, input.signature);
  const { now, hasFailed } = await takeAttempt(context, siwe?.address ?? null);
  try {
    if (!siwe) throw identityErrors.SIWE_MALFORMED();
    await holdToPolicy(context, input, siwe, now);
    const burnt = await burnNonce(context, siwe.nonce, input.purpose);
    const { address, chainId } = siwe;
    const { message, signature } = input;
    const kind = await checkSignature(context, { address, chainId, message, signature, burnt });
    if (hasFailed) await forgetFailures(context, address);
    return await then(provedWallet(siwe, kind, { message, signature }));
  } catch (error) {
    if (error instanceof GatewayError) await recordRefusal(context, siwe, input.purpose, error.code);
    throw error;
  }
}

/** Steps 1 to 4, with what the challenge adds to them. */
async function holdToPolicy(context: Context, input: SignedText, siwe: SiweMessage, now: number): Promise<void> {
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

/**
 * Step 5: whoever deletes the row has the nonce; it is gone whatever the signature turns out to be.
 * @returns the row, should nobody have been able to check the signature
 */
async function burnNonce(context: Context, nonce: string, purpose: ChallengePurpose): Promise<string> {
  const [burnt] = await context.identityScope({}).db.$queryRaw<{ row: string }[]>`
    /* burnNonce */
    delete from challenges
    where nonce_hash = ${sha256(nonce)}::bytea
      and purpose = ${purpose}::challenge_purpose
      and user_id is not distinct from ${askerFor(purpose, context)}::uuid
      and expires_at > clock_timestamp()
    returning to_jsonb(challenges)::text as row`;
  if (!burnt) throw identityErrors.SIWE_NONCE_INVALID();
  return burnt.row;
}

async function recordRefusal(
  context: Context,
  siwe: SiweMessage | null,
  purpose: ChallengePurpose,
  outcome: string,
): Promise<void> {
  const address = siwe?.address ?? null;
  const chainId = siwe && Number.isSafeInteger(siwe.chainId) ? siwe.chainId : null;
  // one packet: what counts failures locks its row, and many may fail at one moment
  await context.identityScope({}).write((tx) => [
    tx.$executeRaw`
      /* recordRefusal */
      insert into sign_in_attempts (
        purpose, outcome, domain, chain_id, address, user_id, client_address, request_id
      )
      values (
        ${purpose}::challenge_purpose, ${outcome}, ${siwe?.domain.slice(0, 300) ?? null}, ${chainId}::bigint,
        ${address}, ${askerFor(purpose, context)}::uuid, ${context.client.address}, ${context.requestId}
      )`,
    ...recordFailure(context, tx, { outcome, address }),
  ]);
}

/** Whose session a wallet is proved in; signing in is nobody's, whoever is signed in already. */
function askerFor(purpose: ChallengePurpose, { viewer }: Context): string | null {
  return purpose === 'SIGN_IN' ? null : (viewer?.userId ?? null);
}
