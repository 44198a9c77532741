import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { signFor } from './linker.ts';
import {
  type Attempt,
  askChallenge,
  codeOf,
  getChallenge,
  goodTerms,
  newWallet,
  present,
  rowId,
  sql,
  submit,
  type Terms,
  type Wallet,
  writeText,
} from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ settings: { TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0', TRUSTED_PROXIES: '1' } });
});
afterAll(() => house.stop());

let clients = 0;

/** The headers of a client that nobody has seen before. */
function newClient(): Record<string, string> {
  clients += 1;
  return { 'x-forwarded-for': `198.51.100.1, 203.0.${113 + Math.floor(clients / 250)}.${clients % 250}` };
}

/** Runs it so many times, one after the other. */
async function times<Result>(count: number, run: (turn: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let turn = 0; turn < count; turn += 1) results.push(await run(turn));
  return results;
}

/** Ends all windows that are open now. */
function endWindows(by = '61 seconds'): Promise<unknown> {
  return sql(house, `update rate_limits set window_start = window_start - $1::interval`, [by]);
}

async function countRows(table: 'challenges' | 'sign_in_attempts'): Promise<number> {
  const [row] = await sql(house, `select count(*)::int as count from ${table}`);
  return Number(row?.count);
}

/** Refused as a whole, with the seconds to wait. */
function expectLimited(answer: Answer<unknown>): void {
  expect(Object.values(answer.data ?? {}).filter(Boolean)).toEqual([]);
  expect([answer.status, codeOf(answer)]).toEqual([429, 'RATE_LIMITED']);
  const wait = Number(answer.headers.get('retry-after'));
  expect(answer.errors[0]?.extensions).toMatchObject({ retryable: true, facts: { seconds: wait } });
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(wait).toBeLessThanOrEqual(60);
}

const TEN_OK = Array.from({ length: 10 }, () => 'OK');

describe('challenges', () => {
  it('are ten a minute for a client, without touching another, and again when the minute is over', async () => {
    const client = newClient();
    const answers = await times(10, () => askChallenge(house, {}, client));
    expect(answers.map(codeOf)).toEqual(TEN_OK);
    const before = await countRows('challenges');
    expectLimited(await askChallenge(house, {}, client));
    expectLimited(await askChallenge(house, { address: newWallet().address }, client));
    expect(await countRows('challenges')).toBe(before);
    expect(codeOf(await askChallenge(house, {}, newClient()))).toBe('OK');
    await endWindows('30 seconds');
    expectLimited(await askChallenge(house, {}, client));
    await endWindows('31 seconds');
    expect(codeOf(await askChallenge(house, {}, client))).toBe('OK');
  });

  it('are ten a minute for a network of IPv6, whichever of its addresses asks, without touching the next', async () => {
    const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
    const answers = await times(10, (turn) => askChallenge(house, {}, from(`2001:db8::${turn}:1`)));
    expect(answers.map(codeOf)).toEqual(TEN_OK);
    expectLimited(await askChallenge(house, {}, from('2001:db8:0:0:ffff::')));
    expect(codeOf(await askChallenge(house, {}, from('2001:db8:0:1::')))).toBe('OK');
  });

  it('that a stranger asks for in the name of a wallet keep its owner from nothing', async () => {
    const [wallet, stranger, owner] = [newWallet(), newClient(), newClient()];
    const answers = await times(10, () => askChallenge(house, { address: wallet.address }, stranger));
    expect(answers.map(codeOf)).toEqual(TEN_OK);
    expectLimited(await askChallenge(house, { address: wallet.address }, stranger));
    // nor do many strangers
    await times(10, () => askChallenge(house, { address: wallet.address }, newClient()));
    expect((await enter(wallet, owner)).code).toBe('OK');
  });

  it('are ten of twenty at one moment', async () => {
    const client = newClient();
    const answers = await Promise.all(Array.from({ length: 20 }, () => askChallenge(house, {}, client)));
    expect(answers.filter((answer) => codeOf(answer) === 'OK')).toHaveLength(10);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectLimited(answer);
  });

  it('cannot be had under another name: only what the trusted proxy says counts', async () => {
    const client = newClient();
    const proxied = client['x-forwarded-for']?.split(', ')[1] ?? '';
    const answers = await times(10, (turn) =>
      askChallenge(house, {}, { 'x-forwarded-for': `192.0.2.${turn}, ${proxied}` }),
    );
    expect(answers.map(codeOf)).toEqual(TEN_OK);
    expectLimited(await askChallenge(house, {}, { 'x-forwarded-for': `192.0.2.99, ${proxied}` }));
  });
});

/** Signs in from there. */
async function enter(wallet: Wallet, client: Record<string, string>): Promise<Attempt> {
  const { nonce } = await getChallenge(house, {}, client);
  const message = writeText(goodTerms(house, wallet, nonce));
  return submit(house, { message, signature: await wallet.signMessage({ message }) }, client);
}

const userOf = (attempt: Attempt | undefined): string => rowId(attempt?.signedIn?.viewer.user.id ?? '');

/** Hands in a text that fails for its nonce, which needs no challenge. */
async function attempt(client: Record<string, string>, wallet: Wallet = newWallet()): Promise<Attempt> {
  const message = writeText(goodTerms(house, wallet, 'abcdefgh'));
  return submit(house, { message, signature: '0x00' }, client);
}

describe('attempts', () => {
  it('are ten a minute for a client, without touching another, and again when the minute is over', async () => {
    const client = newClient();
    const attempts = await times(10, () => attempt(client));
    expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['SIWE_NONCE_INVALID']));
    expectLimited((await attempt(client)).answer);
    expect((await attempt(newClient())).code).toBe('SIWE_NONCE_INVALID');
    await endWindows();
    expect((await attempt(client)).code).toBe('SIWE_NONCE_INVALID');
  });

  it.each<[string, Partial<Terms>]>([
    ['a wrong domain', { domain: 'evil.example' }],
    ['a nonce that was not given out', {}],
  ])('of strangers with %s in the name of a wallet keep its owner from nothing', async (_, changes) => {
    const [wallet, stranger, owner] = [newWallet(), newClient(), newClient()];
    const flood = async (client: Record<string, string>): Promise<Attempt> => {
      const message = writeText({ ...goodTerms(house, wallet, 'abcdefgh'), ...changes });
      return submit(house, { message, signature: '0x00' }, client);
    };
    await times(12, () => flood(stranger));
    await times(12, () => flood(newClient()));
    expect((await enter(wallet, owner)).code).toBe('OK');
  });

  it('that prove a wallet are ten a minute for it, from wherever, without touching another', async () => {
    const wallet = newWallet();
    const attempts = await times(10, () => enter(wallet, newClient()));
    expect(attempts.map(({ code }) => code)).toEqual(TEN_OK);
    const sessions = () => sql(house, 'select from sessions where user_id = $1', [userOf(attempts[0])]);
    const before = (await sessions()).length;
    expectLimited((await enter(wallet, newClient())).answer);
    expect(await sessions()).toHaveLength(before);
    expect((await enter(newWallet(), newClient())).code).toBe('OK');
    await endWindows();
    expect((await enter(wallet, newClient())).code).toBe('OK');
  });

  it('that prove a wallet go on counting when it has become a stranger’s: nobody is signed up beyond them', async () => {
    const wallet = newWallet();
    await times(10, () => enter(wallet, newClient()));
    await sql(house, 'delete from identities where address = $1', [wallet.address.toLowerCase()]);
    const users = () => sql(house, 'select from users');
    const before = (await users()).length;
    expectLimited((await enter(wallet, newClient())).answer);
    expect(await users()).toHaveLength(before);
    await endWindows();
    expect((await enter(wallet, newClient())).signedIn?.isNewUser).toBe(true);
  });

  it('that prove a wallet for a session count among them', async () => {
    const wallet = newWallet();
    const [first] = await times(10, () => enter(wallet, newClient()));
    const { accessToken = '' } = first?.signedIn ?? {};
    const challenge = await signFor(house, accessToken, 'STEP_UP', wallet);
    const step = () =>
      house.ask(
        'mutation ($input: StepUpInput!) { stepUp(input: $input) { freshUntil } }',
        { input: challenge },
        { token: accessToken, headers: newClient() },
      );
    expectLimited(await step());
    await endWindows();
    // the nonce was given back
    expect(codeOf(await step())).toBe('OK');
  });

  it('count when they cannot be read, and leave the challenges’ count alone', async () => {
    const client = newClient();
    await times(10, () => submit(house, { message: 'let me in', signature: '0x' }, client));
    expectLimited((await submit(house, { message: 'let me in', signature: '0x' }, client)).answer);
    expect(codeOf(await askChallenge(house, {}, client))).toBe('OK');
  });

  it('that are refused for their number keep the nonce, and leave no row', async () => {
    const [client, wallet] = [newClient(), newWallet()];
    const { nonce } = await getChallenge(house, {}, newClient());
    const message = writeText(goodTerms(house, wallet, nonce));
    const signature = await wallet.signMessage({ message });
    await times(10, () => attempt(client));
    const before = await countRows('sign_in_attempts');
    await times(3, async () => expectLimited((await submit(house, { message, signature }, client)).answer));
    expect(await countRows('sign_in_attempts')).toBe(before);
    expect((await submit(house, { message, signature }, newClient())).code).toBe('OK');
    expect(await countRows('sign_in_attempts')).toBe(before + 1);
  });

  it('are one in a request', async () => {
    const field = 'signInWithEthereum(input: { message: "a", signature: "0x" }) { isNewUser }';
    const before = await countRows('sign_in_attempts');
    const answer = await house.ask(`mutation { one: ${field} other: ${field} }`, {}, { headers: newClient() });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'DOCUMENT_TOO_LARGE']);
    expect(await countRows('sign_in_attempts')).toBe(before);
  });
});

describe('what is limited', () => {
  it('is set by the operator', async () => {
    const strict = await startTollhouse({
      settings: {
        TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
        LIMIT_CHALLENGES_PER_MINUTE: '3',
        LIMIT_SIGN_INS_PER_MINUTE: '2',
      },
    });
    try {
      // No proxy is trusted here, so that a header makes nobody another.
      const codes = await times(4, async () => codeOf(await askChallenge(strict, {}, newClient())));
      expect(codes).toEqual(['OK', 'OK', 'OK', 'RATE_LIMITED']);
      const attempts = await times(3, () => submit(strict, { message: '', signature: '0x' }, newClient()));
      expect(attempts.map(({ code }) => code)).toEqual(['SIWE_MALFORMED', 'SIWE_MALFORMED', 'RATE_LIMITED']);
    } finally {
      await strict.stop();
    }
  });
});

describe('the trail of attempts', () => {
  /** The rows that the deed has written, without what is made up by the database. */
  async function rowsOf(deed: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
    const before = await countRows('sign_in_attempts');
    await deed();
    return sql(
      house,
      `select outcome, domain, chain_id, address, user_id, client_address, request_id
      from sign_in_attempts order by created_at, id offset $1`,
      [before],
    );
  }

  it('has one row for a sign-in, with who it was', async () => {
    const [wallet, client] = [newWallet(), newClient()];
    let user = '';
    const rows = await rowsOf(async () => {
      const { nonce } = await getChallenge(house, {}, client);
      const message = writeText(goodTerms(house, wallet, nonce));
      const signature = await wallet.signMessage({ message });
      const { signedIn } = await submit(house, { message, signature }, { ...client, 'x-request-id': 'request-7' });
      user = rowId(signedIn?.viewer.user.id ?? '');
    });
    expect(rows).toEqual([
      {
        outcome: 'OK',
        domain: new URL(house.url).host,
        chain_id: '31337',
        address: wallet.address.toLowerCase(),
        user_id: user,
        client_address: client['x-forwarded-for']?.split(', ')[1],
        request_id: 'request-7',
      },
    ]);
  });

  it.each<[string, Partial<Terms>]>([
    ['SIWE_DOMAIN_MISMATCH', { domain: 'evil.example' }],
    ['SIWE_CHAIN_NOT_ALLOWED', { chainId: '340282366920938463463374607431768211456' }],
    ['SIWE_CHAIN_NOT_ALLOWED', { chainId: 9_007_199_254_740_991 }],
    ['SIWE_EXPIRED', { expirationTime: '2001-01-01T00:00:00Z' }],
    ['SIWE_NONCE_INVALID', { nonce: 'abcdefgh' }],
    ['SIWE_DOMAIN_MISMATCH', { domain: `${'x'.repeat(3_000)}.example` }],
  ])('has one row for %s, with what the text said (%#)', async (outcome, changes) => {
    await endWindows();
    const wallet = newWallet();
    const { domain = new URL(house.url).host, chainId = 31_337 } = changes;
    const rows = await rowsOf(() => present(house, changes, { wallet }));
    expect(rows).toMatchObject([
      {
        outcome,
        domain: domain.slice(0, 300),
        chain_id: typeof chainId === 'number' ? String(chainId) : null,
        address: wallet.address.toLowerCase(),
        user_id: null,
      },
    ]);
  });

  it('has one row for a text that could not be read, and keeps nothing of it', async () => {
    const rows = await rowsOf(() => submit(house, { message: 'my seed phrase', signature: '0x' }, newClient()));
    expect(rows).toMatchObject([
      { outcome: 'SIWE_MALFORMED', domain: null, chain_id: null, address: null, user_id: null },
    ]);
  });

  it('has one row for each of many that used one nonce', async () => {
    const wallet = newWallet();
    const { nonce } = await getChallenge(house, {}, newClient());
    const message = writeText(goodTerms(house, wallet, nonce));
    const signature = await wallet.signMessage({ message });
    const rows = await rowsOf(() =>
      Promise.all(Array.from({ length: 8 }, () => submit(house, { message, signature }, newClient()))),
    );
    const refusals = Array.from({ length: 7 }, () => 'SIWE_NONCE_INVALID');
    expect(rows.map(({ outcome }) => outcome).sort()).toEqual(['OK', ...refusals]);
  });
});
