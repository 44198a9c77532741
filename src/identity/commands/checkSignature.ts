import type { Context } from '../../context.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { identityErrors } from '../errors.ts';
import type { SignedText, WalletKind } from '../model.ts';

/**
 * Steps 6 and 7: whether the signature is the account's. "Could not check" is not "wrong": then the nonce is given
 * back, and until it is, nobody else has had it.
 * @returns what stands behind the address
 */
export async function checkSignature(
  context: Context,
  claim: SignedText & {
    readonly address: string;
    readonly chainId: number;
    /** The challenge's row, as it was before its nonce was used up. */
    readonly burnt: string;
  },
): Promise<WalletKind> {
  const { burnt, ...signed } = claim;
  const kind = await context.walletVerifier.verify(signed).catch(async (error: unknown) => {
    if (error instanceof GatewayError && error.definition.retryable) await giveBack(context, burnt);
    throw error;
  });
  if (kind === null) throw identityErrors.SIWE_SIGNATURE_INVALID();
  return kind;
}

/** What has expired meanwhile stays away. */
async function giveBack(context: Context, burnt: string): Promise<void> {
  await context.identityScope({}).write((tx) => [
    tx.$executeRaw`
      /* giveBackNonce */
      insert into challenges
      select given.*
      from jsonb_populate_record(null::challenges, ${burnt}::jsonb) as given
      where given.expires_at > transaction_timestamp()`,
  ]);
}
