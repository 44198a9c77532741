import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { showAddress } from '../../kernel/address.ts';
import { sha256 } from '../../kernel/digest.ts';
import { identityErrors } from '../errors.ts';
import { CHALLENGE_SECONDS, writeSiweMessage } from '../model.ts';
import { takeRateLimit } from './takeRateLimit.ts';

/** A nonce to sign, and the ready text when the address is known. */
export interface SignInChallenge {
  readonly nonce: string;
  readonly message: string | null;
  readonly expiresAt: Date;
}

/** Gives out a nonce that can be used for one sign-in within five minutes. */
export async function createSignInChallenge(
  context: Context,
  input: { readonly address?: string | null | undefined; readonly chainId?: number | null | undefined },
): Promise<SignInChallenge> {
  const { environment, signInOrigins, signInChainIds } = context;
  const { address = null, chainId = null } = input;
  if (chainId !== null && !signInChainIds.includes(chainId)) throw identityErrors.SIWE_CHAIN_NOT_ALLOWED({ chainId });
  const named = signInOrigins.find((origin) => origin === context.client.origin);
  const origin = named ?? signInOrigins[0] ?? context.publicUrl;
  const domain = named === undefined && address === null ? null : new URL(origin).host;
  const nonce = randomBytes(16).toString('hex');

  return context.identityScope({}).transaction(async (tx) => {
    const now = await takeRateLimit(context, tx, {
      deed: 'challenge',
      allowed: environment.LIMIT_CHALLENGES_PER_MINUTE,
      address,
    });
    const expiresAt = new Date(now + CHALLENGE_SECONDS * 1000);
    const message =
      address === null
        ? null
        : writeSiweMessage({
            origin,
            address: showAddress(address),
            chainId: chainId ?? signInChainIds[0] ?? 1,
            nonce,
            statement: environment.SIGN_IN_STATEMENT,
            issuedAt: now,
            expiresAt: expiresAt.getTime(),
          });
    await tx.challenge.createMany({
      data: {
        nonceHash: sha256(nonce),
        purpose: 'SIGN_IN',
        domain,
        address,
        chainId,
        messageHash: message === null ? null : sha256(message),
        expiresAt,
      },
    });
    return { nonce, message, expiresAt };
  });
}
