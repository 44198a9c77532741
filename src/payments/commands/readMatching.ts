import { zeroAddress } from 'viem';
import { kernelErrors } from '../../kernel/errors.ts';
import { paymentErrors } from '../errors.ts';
import type { Matching } from '../model/matching.ts';

/**
 * How the payment of an order is to be known: by the payer that is named, else by its amount, unless something else is
 * asked for.
 * @throws PAYER_REQUIRED, PAYER_REFUSED, BAD_USER_INPUT
 */
export function readMatching(
  { payTo, token }: { readonly payTo: string; readonly token: string | null },
  asked: { readonly payer?: string | null | undefined; readonly matching?: Matching | null | undefined },
): { readonly matching: Matching; readonly payer: string | null } {
  const payer = asked.payer ?? null;
  const matching = asked.matching ?? (payer === null ? 'UNIQUE_AMOUNT' : 'WALLET');
  if (matching !== 'WALLET') {
    if (payer !== null) throw kernelErrors.BAD_USER_INPUT({ input: 'payer', expected: `none beside ${matching}` });
    return { matching, payer };
  }
  if (payer === null) throw paymentErrors.PAYER_REQUIRED();
  // New tokens come from the zero address, and a token’s own transfers are anybody’s.
  if ([zeroAddress, payTo, token].includes(payer)) throw paymentErrors.PAYER_REFUSED({ payer });
  return { matching, payer };
}
