import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Attempt, getChallenge, goodTerms, newWallet, sql, submit, type Wallet, writeText } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({
    chain: true,
    settings: {
      TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
      TRUSTED_PROXIES: '1',
      LIMIT_CHALLENGES_PER_MINUTE: '1000',
      LIMIT_SIGN_INS_PER_MINUTE: '1000',
      LOCKOUT_AFTER_FAILURES: '3',
      LOCKOUT_CLIENT_FACTOR: '4',
      LOCKOUT_SECONDS: '30',
      LOCKOUT_MAX_SECONDS: '100',
    },
  });
});
afterAll(() => house.stop());

type Client = Readonly<Record<string, string>>;
let clients = 0;

/** The headers of a client that nobody has seen before. */
function newClient(): Client {
  clients += 1;
  return { 'x-forwarded-for': `203.0.113.${clients}` };
}

/** A text of the wallet, signed by itself or by a forger. */
async function come(client: Client, wallet: Wallet, signer: Wallet = wallet): Promise<Attempt> {
  const { nonce } = await getChallenge(house, {}, client);
  const message = writeText(goodTerms(house, wallet, nonce));
  return submit(house, { message, signature: await signer.signMessage({ message }) }, client);
}

const forge = (client: Client, wallet: Wallet): Promise<Attempt> => come(client, wallet, newWallet());

async function times<Result>(count: number, run: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let turn = 0; turn < count; turn += 1) results.push(await run());
  return results;
}

const codes = (attempts: readonly Attempt[]): string[] => attempts.map(({ code }) => code);
const INVALID = 'SIWE_SIGNATURE_INVALID';

/** Lets so much time pass for all that failed. */
function pass(seconds: number): Promise<unknown> {
  return sql(house, 'update sign_in_failures set failed_at = failed_at - make_interval(secs => $1)', [seconds]);
}

/** Refused as a whole, with at most so many seconds to wait, and no fewer than the moments that have passed allow. */
function expectLocked({ code, answer }: Attempt, seconds: number): void {
  expect(Object.values(answer.data ?? {}).filter(Boolean)).toEqual([]);
  expect([code, answer.status]).toEqual(['LOCKED_OUT', 429]);
  const wait = Number(answer.headers.get('retry-after'));
  expect(answer.errors[0]?.extensions).toMatchObject({ retryable: true, facts: { seconds: wait } });
  expect([wait > seconds / 2, wait <= seconds]).toEqual([true, true]);
}

describe('whoever fails again and again', () => {
  it('waits with that wallet, and no longer than it must', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    expect(codes(await times(3, () => forge(client, wallet)))).toEqual([INVALID, INVALID, INVALID]);
    expectLocked(await come(client, wallet), 30);
    await pass(31);
    expect((await come(client, wallet)).code).toBe('OK');
  });

  it('waits twice as long with each further failure, up to the longest wait', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    await times(3, () => forge(client, wallet));
    for (const wait of [30, 60]) {
      expectLocked(await forge(client, wallet), wait);
      await pass(wait + 1);
      expect((await forge(client, wallet)).code).toBe(INVALID);
    }
    expectLocked(await forge(client, wallet), 100);
  });

  it('is forgiven after the longest wait', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    await times(3, () => forge(client, wallet));
    await pass(101);
    expect(codes(await times(3, () => forge(client, wallet)))).toEqual([INVALID, INVALID, INVALID]);
    expectLocked(await come(client, wallet), 30);
  });

  it('starts anew with a wallet that it has proved', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    for (let round = 0; round < 3; round += 1) {
      expect(codes(await times(2, () => forge(client, wallet)))).toEqual([INVALID, INVALID]);
      expect((await come(client, wallet)).code).toBe('OK');
    }
  });

  it('keeps nobody else out: not the wallet’s owner, and not another wallet of the same client', async () => {
    const [attacker, owner, wallet] = [newClient(), newClient(), newWallet()];
    await times(3, () => forge(attacker, wallet));
    expectLocked(await forge(attacker, wallet), 30);
    expect((await come(owner, wallet)).code).toBe('OK');
    expect((await come(attacker, newWallet())).code).toBe('OK');
  });

  it('waits with every wallet after four times as many, as is set, which proving one of them does not change', async () => {
    const client = newClient();
    expect(new Set(codes(await times(11, () => forge(client, newWallet()))))).toEqual(new Set([INVALID]));
    expect((await come(client, newWallet())).code).toBe('OK');
    expect((await forge(client, newWallet())).code).toBe(INVALID);
    expectLocked(await come(client, newWallet()), 30);
    expectLocked(await submit(house, { message: 'no text', signature: '0x' }, client), 30);
    expect((await come(newClient(), newWallet())).code).toBe('OK');
  });

  it('counts used nonces too, and not what honest clocks and pages get wrong', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    const hand = async (changes: object): Promise<string> => {
      const message = writeText({ ...goodTerms(house, wallet, 'abcdefgh'), ...changes });
      return (await submit(house, { message, signature: '0x00' }, client)).code;
    };
    const late = { issuedAt: '2020-01-01T00:00:00Z' };
    expect(new Set(await times(5, () => hand(late)))).toEqual(new Set(['SIWE_ISSUED_AT']));
    expect(new Set(await times(3, () => hand({})))).toEqual(new Set(['SIWE_NONCE_INVALID']));
    expect(await hand(late)).toBe('LOCKED_OUT');
  });

  it('is not counted while it waits, and leaves no further row in the trail', async () => {
    const [attacker, wallet] = [newClient(), newWallet()];
    await times(3, () => forge(attacker, wallet));
    const trail = () => sql(house, 'select from sign_in_attempts where address = $1', [wallet.address.toLowerCase()]);
    const counts = () => sql(house, 'select key_hash, hits from rate_limits order by key_hash');
    const message = writeText(goodTerms(house, wallet, 'abcdefgh'));
    const before = [await counts(), await trail()];
    await times(5, async () => expectLocked(await submit(house, { message, signature: '0x00' }, attacker), 30));
    expect([await counts(), await trail()]).toEqual(before);
  });
});
