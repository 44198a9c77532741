import { createHmac, hkdfSync } from 'node:crypto';
import type { SigningKey } from '../../environment.ts';

/**
 * Digests of codes that are short enough to be guessed from a plain hash: an HMAC under a key that is derived from the
 * first of the signing keys, and so is in no copy of the database. With another first key, codes that are out are void.
 */
export function createCodeDigest([first]: readonly SigningKey[]): (text: string) => Buffer<ArrayBuffer> {
  if (!first) throw new Error('Digests need at least one signing key.');
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(first.d, 'base64url'), '', 'tollhouse codes', 32));
  return (text) => Buffer.from(createHmac('sha256', key).update(text).digest());
}
