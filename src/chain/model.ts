import type { FinalityPolicy } from '../kernel/finality.ts';

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

/** A chain that has not been read to a head that moves for longer than this takes no new orders. */
export const MAX_SECONDS_BEHIND = 60;

/** One that has not been read for longer than this, and that nobody watches, is called so: whoever watched it is gone. */
export const SECONDS_UNTIL_LEFT = 120;

/** What the lock is called that whoever watches a chain holds, before the chain's id. */
export const WATCH_LOCK = 'watch chain ';

/** Blocks of the window that are kept even when they are final, so that a lagging node can be recognised. */
export const KEPT_BELOW_FINALIZED = 10;

/** When a block was mined, as it says itself. */
export function timeOf({ timestamp }: { readonly timestamp: bigint }): Date {
  return new Date(Number(timestamp) * 1000);
}

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

/** What finality a chain's payments need. */
export interface FinalityRules {
  /** Of what no threshold speaks of. */
  readonly usual: FinalityPolicy;
  /** Of an asset's payments from so many base units on; at most one for each number of them. */
  readonly thresholds: readonly {
    readonly assetId: string;
    readonly fromUnits: bigint;
    readonly finality: FinalityPolicy;
  }[];
}

/** The finality that a payment of so many base units of the asset needs: of the highest threshold that it reaches. */
export function finalityFor({ usual, thresholds }: FinalityRules, assetId: string, units: bigint): FinalityPolicy {
  const reached = thresholds.filter((threshold) => threshold.assetId === assetId && units >= threshold.fromUnits);
  const [first, ...others] = reached;
  if (!first) return usual;
  return others.reduce((highest, other) => (other.fromUnits > highest.fromUnits ? other : highest), first).finality;
}

/** How far a chain was read, and which of its blocks it calls safe and finalized, as far as they were read. */
export interface FinalityView {
  readonly head: bigint;
  readonly safe: bigint;
  readonly finalized: bigint;
}

/** Whether a payment in the block of that number is done; the block must be the chain's, which is not asked here. */
export function isMet(policy: FinalityPolicy, blockNumber: bigint, view: FinalityView): boolean {
  if (policy.kind === 'CONFIRMATIONS') return view.head - blockNumber + 1n >= BigInt(policy.confirmations);
  // A node may know of no safe block and yet of a finalized one, which is more.
  return blockNumber <= view.finalized || (policy.kind === 'SAFE' && blockNumber <= view.safe);
}

/** A policy as it stands in two columns: a kind, and a number that only `CONFIRMATIONS` has. */
export function finalityOf(kind: string, confirmations: number | null): FinalityPolicy {
  if (kind === 'SAFE' || kind === 'FINALIZED') return { kind };
  if (kind === 'CONFIRMATIONS' && confirmations !== null) return { kind, confirmations };
  throw new Error(`There is no finality ${kind} of ${confirmations ?? 'no'} confirmations.`);
}

/** The key of what an account has of a token. */
export function holdingOf({ token, recipient }: { readonly token: string | null; readonly recipient: string }): string {
  return `${token} ${recipient}`;
}

/**
 * The transfers of one block, those of tokens whose logs do not say what arrived with what did: the account's balance
 * after the block less the one before it, and what its own transfers took of it. Where less arrived than the logs say,
 * each of several transfers to one account has its part of it in proportion to its log, so that nobody gains by being
 * the first, and says what was sent besides; where more did, each has what its log says. What is left of none, and an account's transfers to itself, are
 * left out.
 * @param transfers all of the block, in the order of their logs
 * @param differences of balances, by holding; of tokens whose logs are not believed alone
 */
export function creditArrivals<
  Transfer extends {
    readonly token: string | null;
    readonly sender: string;
    readonly recipient: string;
    readonly units: bigint;
    readonly sentUnits?: bigint;
  },
>(transfers: readonly Transfer[], differences: ReadonlyMap<string, bigint>): Transfer[] {
  const arrived = new Map(differences);
  const told = new Map<string, bigint>();
  for (const { token, sender, recipient, units } of transfers) {
    if (sender === recipient) continue;
    const spent = holdingOf({ token, recipient: sender });
    const before = arrived.get(spent);
    if (before !== undefined) arrived.set(spent, before + units);
    const holding = holdingOf({ token, recipient });
    told.set(holding, (told.get(holding) ?? 0n) + units);
  }
  // What the logs before each one have told, so that what is rounded off of one goes to the next.
  const toldBefore = new Map<string, bigint>();
  return transfers.flatMap((transfer) => {
    const holding = holdingOf(transfer);
    const whole = arrived.get(holding);
    if (whole === undefined) return [transfer];
    if (transfer.sender === transfer.recipient || whole <= 0n) return [];
    const sum = told.get(holding) ?? 0n;
    if (whole >= sum) return [transfer];
    const before = toldBefore.get(holding) ?? 0n;
    const after = before + transfer.units;
    toldBefore.set(holding, after);
    const units = (after * whole) / sum - (before * whole) / sum;
    if (units === transfer.units) return [transfer];
    return units === 0n ? [] : [{ ...transfer, units, sentUnits: transfer.units }];
  });
}
