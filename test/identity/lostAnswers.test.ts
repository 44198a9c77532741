import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortAddress } from '../../src/identity/model.ts';
import { freshDatabase } from '../support/database.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { type Fate, openWire, type Wire } from '../support/wire.ts';
import {
  type Attempt,
  askChallenge,
  codeOf,
  enterHouse,
  getChallenge,
  isLive,
  newWallet,
  sql,
  submit,
  type Wallet,
} from './visitor.ts';

let house: TestTollhouse;
let wire: Wire;

beforeAll(async () => {
  const database = await freshDatabase();
  wire = await openWire(database.gatewayUrl);
  house = await startTollhouse({
    database: { ...database, gatewayUrl: wire.through(database.gatewayUrl) },
    // One connection: whatever follows a struck one has to say its statements in full again.
    settings: { DATABASE_POOL_MIN: '0', DATABASE_POOL_MAX: '1' },
  });
});
afterAll(async () => {
  await house.stop();
  await wire.close();
});

/** What the database has done all the same, by what becomes of the connection. */
const FATES: readonly [fate: Fate, done: boolean][] = [
  ['unheard', false],
  ['unanswered', true],
  ['half answered', true],
  ['dismissed', true],
];

const LOST = { code: 'OUTCOME_UNKNOWN', retryable: false };

interface Struck {
  readonly lost: Attempt;
  readonly again: Attempt;
  /** Whether the nonce could be used after the first attempt. */
  readonly good: boolean;
  readonly address: string;
}

/** What each step says to the database, and no step before it. */
const SAID = { attempt: 'the-request', nonce: 'SIGN_IN', session: 'The browser', signUp: 'COMMIT' } as const;

/** Signs in while the connection dies under one step, then hands the very same in once more. */
async function struckAt(
  step: keyof typeof SAID | 'user',
  fate: Fate,
  { wallet = newWallet(), thenAt }: { readonly wallet?: Wallet; readonly thenAt?: string } = {},
): Promise<Struck> {
  const { nonce, message } = await getChallenge(house, { address: wallet.address });
  const signature = await wallet.signMessage({ message: message ?? '' });
  const headers = { 'x-request-id': SAID.attempt, 'user-agent': SAID.session };
  // a statement is said in full once a connection; what it is about, each time
  const said = step === 'user' ? shortAddress(wallet.address.toLowerCase()) : SAID[step];
  const strike = async (): Promise<void> => {
    await wire.strike(said, fate);
    if (thenAt !== undefined) await wire.strike(thenAt, fate);
  };
  const [lost] = await Promise.all([submit(house, { message, signature }, headers), strike()]);
  const good = await isLive(house, nonce);
  const again = await submit(house, { message, signature });
  return { lost, again, good, address: wallet.address.toLowerCase() };
}

const errorOf = ({ answer }: Attempt): unknown => answer.errors[0]?.extensions;

const sessionsOf = async (address: string): Promise<number> => {
  const [row] = await sql(
    house,
    'select count(*)::int as sessions from sessions s join identities i on i.id = s.identity_id where i.subject = $1',
    [address],
  );
  return Number(row?.sessions);
};

const trailOf = async (address: string): Promise<unknown[]> => {
  const rows = await sql(house, 'select outcome from sign_in_attempts where address = $1 order by created_at, id', [
    address,
  ]);
  return rows.map(({ outcome }) => outcome);
};

describe('signing in while the connection to the database dies', () => {
  it.each(FATES)('when the attempt is counted, %s, leaves the nonce good', async (fate) => {
    const { lost, again, good } = await struckAt('attempt', fate);
    expect(errorOf(lost)).toMatchObject(LOST);
    expect(good).toBe(true);
    expect(again.code).toBe('OK');
  });

  it.each(FATES)('when the nonce is used up, %s, does not say that it may be tried again', async (fate, done) => {
    const { lost, again, good, address } = await struckAt('nonce', fate);
    expect(errorOf(lost)).toMatchObject(LOST);
    expect(good).toBe(!done);
    expect(again.code).toBe(done ? 'SIWE_NONCE_INVALID' : 'OK');
    expect(await trailOf(address)).toEqual(['OUTCOME_UNKNOWN', again.code]);
  });

  it.each(FATES)(
    'when the session of a known wallet begins, %s, has begun it once or not at all',
    async (fate, done) => {
      const wallet = newWallet();
      await enterHouse(house, wallet);
      const { lost, again, address } = await struckAt('session', fate, { wallet });
      expect(errorOf(lost)).toMatchObject(LOST);
      expect(again.code).toBe('SIWE_NONCE_INVALID');
      expect(await sessionsOf(address)).toBe(done ? 2 : 1);
    },
  );

  it.each(FATES)('when a stranger is signed up, %s, has made the user whole or not at all', async (fate, done) => {
    const { lost, again, address } = await struckAt('signUp', fate);
    expect(errorOf(lost)).toMatchObject(LOST);
    expect(again.code).toBe('SIWE_NONCE_INVALID');
    expect(await sessionsOf(address)).toBe(done ? 1 : 0);
  });

  it.each(FATES)(
    'before a stranger’s sign-up is committed, %s, says to try again, and gives the nonce back',
    async (fate) => {
      const { lost, again, good, address } = await struckAt('user', fate);
      expect(errorOf(lost)).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      expect(good).toBe(true);
      expect([again.code, again.signedIn?.isNewUser]).toEqual(['OK', true]);
      expect(await sessionsOf(address)).toBe(1);
      expect(await trailOf(address)).toEqual(['UNAVAILABLE', 'OK']);
    },
  );

  it.each(FATES)(
    'and then when the nonce is given back, %s, does not say that it may be tried again',
    async (fate, done) => {
      const { lost, again, good, address } = await struckAt('user', fate, { thenAt: 'giveBackNonce' });
      expect(errorOf(lost)).toMatchObject(LOST);
      expect(good).toBe(done);
      expect(again.code).toBe(done ? 'OK' : 'SIWE_NONCE_INVALID');
      expect(await sessionsOf(address)).toBe(done ? 1 : 0);
    },
  );

  it.each(FATES)('when a challenge is asked for, %s, is told, and the next is given out', async (fate) => {
    for (const said of [SAID.attempt, SAID.nonce]) {
      const asked = askChallenge(house, {}, { 'x-request-id': SAID.attempt });
      const [lost] = await Promise.all([asked, wire.strike(said, fate)]);
      expect(lost.errors[0]?.extensions).toMatchObject(LOST);
      expect(codeOf(await askChallenge(house))).toBe('OK');
    }
  });
});
