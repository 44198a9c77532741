import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { showAddress } from '../../kernel/address.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import { CHALLENGE_SECONDS, type ChallengePurpose, writeSiweMessage } from '../model.ts';
import { findSignInDomain } from './findSignInDomain.ts';
import { takeRateLimit } from './takeRateLimit.ts';

/** A nonce to sign, and the ready text when the address is known. */
export interface WalletChallenge {
  readonly purpose: ChallengePurpose;
  readonly nonce: string;
  readonly message: string | null;
  readonly expiresAt: Date;
}

/** What is known of the wallet that will sign. */
export interface ChallengedWallet {
  readonly address?: string | null | undefined;
  readonly chainId?: number | null | undefined;
}

/** Gives out a nonce that can be used once within five minutes, for one purpose, and by nobody but the user it names. */
export async function giveChallenge(
  context: Context,
  input: ChallengedWallet & {
    readonly purpose: ChallengePurpose;
    /** What the text says, in the characters of EIP-4361. */
    readonly statement: string;
    /** Whose session asks; null for signing in. */
    readonly userId: string | null;
  },
): Promise<WalletChallenge> {
  const { signInOrigins, signInChainIds } = context;
  const { purpose, statement, userId, address = null, chainId = null } = input;
  if (chainId !== null && !signInChainIds.includes(chainId)) throw identityErrors.SIWE_CHAIN_NOT_ALLOWED({ chainId });
  // on an organization's own domain people sign in, and do nothing else with their wallets
  const own = purpose === 'SIGN_IN' ? await findSignInDomain(context, context.client.origin) : null;
  const named = own?.origin ?? signInOrigins.find((origin) => origin === context.client.origin);
  const origin = named ?? signInOrigins[0] ?? context.publicUrl;
  const domain = named === undefined && address === null ? null : new URL(origin).host;
  const nonce = randomBytes(16).toString('hex');

  const scope = context.identityScope({});
  const now = await takeRateLimit(context, scope);
  const expiresAt = new Date(now + CHALLENGE_SECONDS * 1000);
  const message =
    address === null
      ? null
      : writeSiweMessage({
          origin,
          address: showAddress(address),
          chainId: chainId ?? signInChainIds[0] ?? 1,
          nonce,
          statement,
          issuedAt: now,
          expiresAt: expiresAt.getTime(),
        });
  const messageHash = message === null ? null : sha256(message);
  await scope.write((tx) => [
    tx.$executeRaw`
      /* giveChallenge */
      insert into challenges (nonce_hash, purpose, user_id, domain, address, chain_id, message_hash, expires_at)
      values (
        ${sha256(nonce)}::bytea, ${purpose}::challenge_purpose, ${userId}::uuid, ${domain}, ${address},
        ${chainId}::bigint, ${messageHash}::bytea, ${expiresAt}::timestamptz
      )`,
  ]);
  return { purpose, nonce, message, expiresAt };
}
