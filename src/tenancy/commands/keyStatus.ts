/** Whether an API key is good, and why not. */
export type KeyStatus = 'ACTIVE' | 'UNCONFIRMED' | 'EXPIRED' | 'REVOKED';

/** Whether a key is good at that moment, and why not. */
export function keyStatus(
  key: { readonly revokedAt: Date | null; readonly expiresAt: Date | null; readonly responsibleId: string | null },
  now: Date,
): KeyStatus {
  if (key.revokedAt) return 'REVOKED';
  if (key.expiresAt && key.expiresAt <= now) return 'EXPIRED';
  return key.responsibleId === null ? 'UNCONFIRMED' : 'ACTIVE';
}
