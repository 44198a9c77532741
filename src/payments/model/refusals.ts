/**
 * What one word beside a code says: how much could be asked for, which of several it is about, counted from 1, that
 * something is being refunded, or else the status of what it is about.
 */
export function factOf(code: string, word: string): Readonly<Record<string, string | number>> {
  if (code === 'REFUND_EXCEEDS') return { mostUnits: word };
  if (/^\d+$/.test(word)) return { place: Number(word) };
  return word === 'REFUND' ? { reason: word } : { status: word };
}
