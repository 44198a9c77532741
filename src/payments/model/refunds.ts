import { encodeFunctionData, erc20Abi, type Hex } from 'viem';
import { showAddress } from '../../kernel/address.ts';

/** What the wallet that was paid is asked to send back. */
export interface RefundRequest {
  readonly chainId: number;
  readonly to: string;
  /** Of the chain's native coin, in its smallest units. */
  readonly value: bigint;
  readonly data: Hex;
}

/** The transaction that is a refund: exactly its units, from where they came to, to its destination. */
export function refundRequest(terms: {
  readonly chainId: number;
  /** The token's contract; null for the native coin. */
  readonly token: string | null;
  readonly destination: string;
  readonly units: bigint;
}): RefundRequest {
  const { chainId, token, units } = terms;
  const destination = showAddress(terms.destination) as Hex;
  if (token === null) return { chainId, to: destination, value: units, data: '0x' };
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [destination, units] });
  return { chainId, to: showAddress(token), value: 0n, data };
}

/**
 * What whoever has paid signs to say where a refund goes. It names all that it is good for: this one refund, which has
 * one destination for good, so that nobody can do anything else with it, nor anything again.
 */
export function refundMessage(refund: {
  /** Of the gateway. */
  readonly publicUrl: string;
  readonly refundId: string;
  /** The order's sixteen bytes, which name it to whoever made it and tell nobody its token. */
  readonly reference: string;
  /** In whole tokens. */
  readonly amount: string;
  /** A CAIP-19 name. */
  readonly asset: string;
  readonly chainId: number;
  readonly destination: string;
}): string {
  const { publicUrl, refundId, reference, amount, asset, chainId, destination } = refund;
  return [
    `${publicUrl} asks you to sign where a refund goes.`,
    '',
    `Refund: ${refundId}`,
    `Order: ${reference}`,
    `Amount: ${amount} of ${asset}`,
    `Destination: ${showAddress(destination)}`,
    `Chain: eip155:${chainId}`,
    '',
    'This sends nothing and gives nobody a right to anything of yours.',
  ].join('\n');
}
