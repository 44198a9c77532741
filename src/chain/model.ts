/** A chain's CAIP-2 name. */
export function caip2Of(chainId: bigint | number): string {
  return `eip155:${chainId}`;
}

/** An asset's CAIP-19 name: `erc20` for tokens, SLIP-44's coin type 60 for the native coin. */
export function caip19Of(chainId: bigint | number, address: string | null): string {
  return `${caip2Of(chainId)}/${address === null ? 'slip44:60' : `erc20:${address}`}`;
}

/** The asset's name as it is stored: addresses inside it in lower case. */
export function storedCaip19(caip19: string): string {
  return caip19.replace(/(?<=\/erc20:)0x[0-9a-fA-F]{40}$/, (address) => address.toLowerCase());
}

/** A chain that has not been read to its head for longer than this takes no new orders. */
export const MAX_SECONDS_BEHIND = 60;

/** Where the watcher stands: the last block that it read. */
export interface Tip {
  readonly number: bigint;
  readonly hash: string;
}

/** What the watcher does next, once it has compared its tip with the chain. */
export type NextStep =
  /** The chain has what we have; read from here on. */
  | { readonly kind: 'advance' }
  /** The node knows less than we have read, or than it said a moment ago, and nothing else: it lags behind. */
  | { readonly kind: 'wait' }
  /** Our tip is no longer the chain's: walk back. */
  | { readonly kind: 'walkBack' };

/**
 * Compares the tip with what the node says now.
 * @param hashHere ours at the lower of both numbers
 * @param hashThere the node's at the same number; null when it has no such block after all
 */
export function compareTips(tip: Tip, head: bigint, hashHere: string, hashThere: string | null): NextStep {
  // One provider is often many nodes: the next one asked need not have the head that the last one told.
  if (hashThere === null) return { kind: 'wait' };
  if (hashThere !== hashHere) return { kind: 'walkBack' };
  return { kind: head < tip.number ? 'wait' : 'advance' };
}
