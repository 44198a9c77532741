import { createHash } from 'node:crypto';

/** SHA-256 of a text, as nonces, messages, tokens and handles are stored. */
export function sha256(text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(text).digest());
}
