import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/kernel/digest.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { getChallenge, goodTerms, newWallet, refresh, sql, submit, writeText } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

/** Every row of every table as text, in which bytes are hexadecimal. */
async function everything(): Promise<string> {
  const tables = await sql(
    house,
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(20);
  const texts = await Promise.all(
    tables.map(({ name }) => sql(house, `select string_agg(row::text, e'\\n') as text from ${name} row`)),
  );
  return texts
    .map(([row]) => row?.text ?? '')
    .join('\n')
    .toLowerCase();
}

/** The spellings that a secret could be stored in. */
function spellings(secret: string): string[] {
  const bytes = [Buffer.from(secret)];
  if (/^(0x)?([0-9a-f]{2})+$/i.test(secret)) bytes.push(Buffer.from(secret.replace(/^0x/, ''), 'hex'));
  if (/^[\w-]{43}$/.test(secret)) bytes.push(Buffer.from(secret, 'base64url'));
  const encodings = ['hex', 'base64', 'base64url', 'latin1'] as const;
  return bytes.flatMap((value) =>
    encodings.map((encoding) => value.toString(encoding).toLowerCase().replace(/=+$/, '')),
  );
}

describe('the database', () => {
  it('holds no token, nonce, text or signature that signs anybody in', async () => {
    const wallet = newWallet();
    const unused = await getChallenge(house, { address: wallet.address });
    const { nonce } = await getChallenge(house);
    const message = writeText(goodTerms(house, wallet, nonce));
    const signature = await wallet.signMessage({ message });
    const { signedIn } = await submit(house, { message, signature });
    const refreshed = (await refresh(house, signedIn?.refreshToken ?? '')).signedIn;
    if (!signedIn || !refreshed) throw new Error('Signing in failed.');
    await refresh(house, signedIn.refreshToken);

    const secrets = [
      nonce,
      unused.nonce,
      unused.message ?? '',
      message,
      signature,
      ...[signedIn, refreshed].flatMap(({ accessToken, refreshToken }) => [
        accessToken,
        accessToken.split('.')[2] ?? '',
        refreshToken,
        refreshToken.split('.')[2] ?? '',
      ]),
      house.supplies.tokenKeys[0]?.d ?? '',
    ];
    expect(secrets.filter((secret) => secret.length < 32)).toEqual([]);

    const kept = await everything();
    expect(secrets.filter((secret) => spellings(secret).some((spelling) => kept.includes(spelling)))).toEqual([]);
    // The search does find what is there: digests of what is good now, and who it is.
    for (const present of [refreshed.refreshToken, unused.nonce].map((secret) => sha256(secret).toString('hex'))) {
      expect(kept).toContain(present);
    }
    expect(kept).toContain(wallet.address.toLowerCase());
    expect(kept).not.toContain(sha256(signedIn.refreshToken).toString('hex'));
    expect(kept).not.toContain(sha256(nonce).toString('hex'));
  });
});
