import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { SigningKey } from '../../environment.ts';

/** A new Ed25519 key, as `TOKEN_KEYS` takes it. */
export function generateTokenKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', kid: randomUUID(), x, d };
}

/** The keys of a development checkout: made once, then kept in this file, readable by its owner alone. */
export async function keptTokenKeys(path: string): Promise<readonly SigningKey[]> {
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return JSON.parse(kept) as SigningKey[];
  const keys = [generateTokenKey()];
  await writeFile(`${path}.new`, JSON.stringify(keys), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return keys;
}
