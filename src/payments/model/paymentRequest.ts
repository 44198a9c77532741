import { bytesToHex, concatHex, encodeFunctionData, erc20Abi, type Hex } from 'viem';
import { showAddress } from '../../kernel/address.ts';
import type { OrderStatus } from '../model.ts';

/** What a wallet is asked to send. */
export interface PaymentRequest {
  readonly chainId: number;
  readonly to: string;
  /** Of the chain's native coin, in its smallest units. */
  readonly value: bigint;
  readonly data: Hex;
  /** The same, as far as an EIP-681 link can say it: without the reference. */
  readonly eip681: string;
  /** Until when it pays, by block time. */
  readonly expiresAt: Date;
}

/** The transaction that pays an order; its reference stands behind the call, where a token ignores it. */
export function paymentRequest(terms: {
  readonly chainId: number;
  /** The token's contract; null for the native coin. */
  readonly token: string | null;
  readonly payTo: string;
  readonly units: bigint;
  /** Null where the payment is known by its amount, or is to be claimed. */
  readonly reference: Uint8Array | null;
  readonly expiresAt: Date;
}): PaymentRequest {
  const { chainId, token, units, expiresAt } = terms;
  const payTo = showAddress(terms.payTo) as Hex;
  const reference = terms.reference === null ? '0x' : bytesToHex(terms.reference);
  if (token === null) {
    const eip681 = `ethereum:${payTo}@${chainId}?value=${units}`;
    return { chainId, to: payTo, value: units, data: reference, eip681, expiresAt };
  }
  const call = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [payTo, units] });
  const eip681 = `ethereum:${showAddress(token)}@${chainId}/transfer?address=${payTo}&uint256=${units}`;
  return { chainId, to: showAddress(token), value: 0n, data: concatHex([call, reference]), eip681, expiresAt };
}

/** Whether something is still to be sent: an order that has all that is due, or is over, asks for nothing more. */
export function asksForPayment(status: OrderStatus): boolean {
  return status === 'CREATED' || status === 'DETECTED';
}

/** What is still to be sent: the rest of what is due. */
export function unitsToSend({ due, credited }: { readonly due: bigint; readonly credited: bigint }): bigint {
  return credited < due ? due - credited : due;
}
