import { bytesToHex } from 'viem';
import { claimMessage } from '../model/claims.ts';

/** What merchants and payers are told of an order's `claimMessage`, and what it is made of. */
export const CLAIM_MESSAGE = {
  description:
    'What the sender of a transaction signs with personal_sign, so that `claimPayment` credits it to the order.',
  select: { reference: true, asset: { select: { chainId: true } } },
} as const;

/** The text of an order as a query loads it. */
export function claimMessageOf(
  order: { readonly reference: Uint8Array; readonly asset: { readonly chainId: bigint } },
  { transactionHash }: { readonly transactionHash: string },
  { publicUrl }: { readonly publicUrl: string },
): string {
  return claimMessage({
    publicUrl,
    reference: bytesToHex(order.reference),
    transactionHash: transactionHash.toLowerCase(),
    chainId: Number(order.asset.chainId),
  });
}
