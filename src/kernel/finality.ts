/**
 * When a payment counts as done: when its block has so many confirmations, itself included, so that one of them means
 * that it is in the chain (`INCLUDED`); or when the chain itself calls its block safe, or finalized.
 */
export type FinalityPolicy =
  | { readonly kind: 'CONFIRMATIONS'; readonly confirmations: number }
  | { readonly kind: 'SAFE' | 'FINALIZED' };

const MOST_CONFIRMATIONS = 1000;

/** A policy as it is written, `INCLUDED`, `CONFIRMATIONS(12)`, `SAFE` or `FINALIZED`; null when the text is none. */
export function readFinality(text: string): FinalityPolicy | null {
  if (text === 'SAFE' || text === 'FINALIZED') return { kind: text };
  const confirmations = text === 'INCLUDED' ? 1 : Number(/^CONFIRMATIONS\(([1-9]\d{0,3})\)$/.exec(text)?.[1]);
  return confirmations <= MOST_CONFIRMATIONS ? { kind: 'CONFIRMATIONS', confirmations } : null;
}

/** A policy as it is written. */
export function showFinality(policy: FinalityPolicy): string {
  return policy.kind === 'CONFIRMATIONS' ? `CONFIRMATIONS(${policy.confirmations})` : policy.kind;
}
