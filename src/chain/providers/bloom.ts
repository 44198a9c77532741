import { type Hex, hexToBytes, keccak256, pad } from 'viem';
import { TRANSFER_TOPIC } from './blockContent.ts';

/** A bloom that says yes by chance to as many accounts as this, on average, is asked for none. */
const MOST_BY_CHANCE = 0.25;

const BITS = 2048;

/** What a block's bloom leaves possible (Yellow Paper, 4.3.1); it never denies what is there. */
export interface BloomTest {
  /** Whether one of the tokens logged a transfer in the block. */
  mayHoldTransfer(bloom: Hex): boolean;
  /**
   * Whether one of them logged a transfer to one of the accounts besides these. A bloom that is so full that chance would
   * say so of many blocks is believed to say nothing.
   */
  mayPayAnother(bloom: Hex, besides: ReadonlySet<string>): boolean;
}

/** Tests blooms for transfers of these tokens to these accounts, all in lower case. */
export function bloomTest(tokens: ReadonlySet<string>, accounts: ReadonlySet<string>): BloomTest {
  const topic = bitsOf(TRANSFER_TOPIC);
  const ofTokens = [...tokens].map((token) => bitsOf(token as Hex));
  let ofAccounts: ReadonlyMap<string, readonly number[]> | undefined;
  const holdsTransfer = (bytes: Uint8Array): boolean =>
    holds(bytes, topic) && ofTokens.some((bits) => holds(bytes, bits));
  return {
    mayHoldTransfer: (bloom) => holdsTransfer(hexToBytes(bloom)),
    mayPayAnother(bloom, besides) {
      const bytes = hexToBytes(bloom);
      if (!holdsTransfer(bytes) || accounts.size * shareOf(bytes) ** 3 > MOST_BY_CHANCE) return false;
      ofAccounts ??= new Map([...accounts].map((account) => [account, bitsOf(pad(account as Hex))]));
      for (const [account, bits] of ofAccounts) if (!besides.has(account) && holds(bytes, bits)) return true;
      return false;
    },
  };
}

function holds(bytes: Uint8Array, bits: readonly number[]): boolean {
  return bits.every((bit) => ((bytes[255 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1);
}

/** How much of a bloom is set. */
function shareOf(bytes: Uint8Array): number {
  let set = 0;
  for (const byte of bytes) for (let rest = byte; rest > 0; rest >>= 1) set += rest & 1;
  return set / BITS;
}

function bitsOf(value: Hex): readonly number[] {
  const hash = keccak256(value, 'bytes');
  return [0, 2, 4].map((place) => (((hash[place] ?? 0) << 8) | (hash[place + 1] ?? 0)) & (BITS - 1));
}
