import { randomBytes } from 'node:crypto';

const FORM = /^th_live_([0-9a-f]{16})_([\w-]{43})$/;

/** What every API key begins with, so that one that was left lying about is recognized. */
export const KEY_MARK = 'th_live_';

/** An API key in its two parts: what it is found by, and 256 bits that nobody can guess. */
export interface ApiKeyParts {
  readonly prefix: string;
  readonly secret: string;
}

/** A new one; nothing of it can be found out from another. */
export function newApiKey(): ApiKeyParts & { readonly text: string } {
  const prefix = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { prefix, secret, text: `${KEY_MARK}${prefix}_${secret}` };
}

/** The parts of a key; null for every text that cannot be one. */
export function readApiKey(text: string): ApiKeyParts | null {
  const [, prefix, secret] = FORM.exec(text) ?? [];
  return prefix !== undefined && secret !== undefined ? { prefix, secret } : null;
}
