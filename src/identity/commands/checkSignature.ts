import type { Context } from '../../context.ts';
import type { WalletVerifier } from '../../ports.ts';
import { identityErrors } from '../errors.ts';
import type { SignedText } from '../model.ts';

/**
 * Steps 6 and 7: whether the signature is the account's. "Could not check" is not "wrong".
 * @returns what stands behind the address, and what is said to have made it
 */
export async function checkSignature(
  context: Context,
  claim: SignedText & {
    readonly address: string;
    readonly chainId: number;
  },
): Promise<NonNullable<Awaited<ReturnType<WalletVerifier['verify']>>>> {
  const verified = await context.walletVerifier.verify(claim);
  if (verified === null) throw identityErrors.SIWE_SIGNATURE_INVALID();
  return verified;
}
