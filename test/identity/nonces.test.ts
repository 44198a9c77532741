import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/kernel/digest.ts';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  type Attempt,
  getChallenge,
  goodTerms,
  inSeconds,
  isLive,
  newWallet,
  present,
  sql,
  submit,
  type Terms,
  UNKNOWN_NONCE,
  type Wallet,
  writeText,
} from './visitor.ts';

const ROUNDS = FULL ? 200 : 10;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

interface Signed {
  readonly nonce: string;
  readonly message: string;
  readonly signature: Hex;
}

/** A good text with a nonce of its own, and the wallet’s signature of it. */
async function signed(wallet: Wallet = newWallet()): Promise<Signed> {
  const { nonce } = await getChallenge(house);
  const message = writeText(goodTerms(house, wallet, nonce));
  return { nonce, message, signature: await wallet.signMessage({ message }) };
}

describe('step 5, the nonce', () => {
  it('is used once', async () => {
    const { message, signature } = await signed();
    expect((await submit(house, { message, signature })).code).toBe('OK');
    expect((await submit(house, { message, signature })).code).toBe('SIWE_NONCE_INVALID');
  });

  it('gets one answer whether it is unknown, used or expired', async () => {
    const used = await signed();
    await submit(house, used);
    const expired = await signed();
    const makeExpired = 'update challenges set expires_at = clock_timestamp() where nonce_hash = $1';
    await sql(house, makeExpired, [sha256(expired.nonce)]);
    const unknown = await present(house, { nonce: UNKNOWN_NONCE });
    const answers = [unknown, await submit(house, used), await submit(house, expired)].map(({ answer }) => {
      const [{ message, extensions } = { message: '', extensions: {} }] = answer.errors;
      return { status: answer.status, message, ...extensions, requestId: '' };
    });
    expect(answers[0]).toMatchObject({ code: 'SIWE_NONCE_INVALID', retryable: false });
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
  });

  it('is of nobody’s other purpose', async () => {
    const other = await signed();
    await sql(house, `update challenges set purpose = 'LINK', user_id = uuid_v7() where nonce_hash = $1`, [
      sha256(other.nonce),
    ]);
    expect((await submit(house, other)).code).toBe('SIWE_NONCE_INVALID');
    expect(await isLive(house, other.nonce)).toBe(true);
  });

  it('is as it was given out, letter for letter', async () => {
    const wallet = newWallet();
    const { nonce } = await getChallenge(house);
    const message = writeText(goodTerms(house, wallet, nonce.toUpperCase()));
    const signature = await wallet.signMessage({ message });
    expect((await submit(house, { message, signature })).code).toBe('SIWE_NONCE_INVALID');
    expect(await isLive(house, nonce)).toBe(true);
  });

  it(`makes ${ROUNDS} sessions of ${ROUNDS} rounds of fifty uses at one moment, one of each`, async () => {
    const wallet = newWallet();
    const used: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { nonce, message, signature } = await signed(wallet);
      used.push(nonce);
      const attempts = await Promise.all(Array.from({ length: 50 }, () => submit(house, { message, signature })));
      const codes = attempts.map(({ code }) => code).sort();
      expect([round, codes]).toEqual([round, ['OK', ...Array.from({ length: 49 }, () => 'SIWE_NONCE_INVALID')]]);
    }
    const sessions = await sql(
      house,
      'select from sessions s join identities i on i.id = s.identity_id where i.address = $1',
      [wallet.address.toLowerCase()],
    );
    expect([new Set(used).size, sessions.length]).toEqual([ROUNDS, ROUNDS]);
    console.info(`nonces: ${ROUNDS} rounds of 50 uses at one moment, ${sessions.length} sessions`);
  }, 900_000);
});

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other signature that recovers to the same account: `s` mirrored, `v` turned round. */
function twinOf(signature: Hex): Hex {
  const s = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
  return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}` as Hex;
}

describe('step 6, the signature', () => {
  it('is the account’s own', async () => {
    const { code, signedIn } = await submit(house, await signed());
    expect([code, signedIn?.isNewUser]).toEqual(['OK', true]);
  });

  it('may count its recovery id from 0, as hardware wallets do', async () => {
    const { message, signature } = await signed();
    const bare = `${signature.slice(0, 130)}${signature.endsWith('1b') ? '00' : '01'}`;
    expect((await submit(house, { message, signature: bare })).code).toBe('OK');
  });

  it.each<[string, (one: Signed) => string | Promise<string>]>([
    ['another account’s', ({ message }) => newWallet().signMessage({ message })],
    ['of another text', async ({ message }) => newWallet().signMessage({ message: `${message} ` })],
    ['the mirror image', ({ signature }) => twinOf(signature)],
    ['turned round alone', ({ signature }) => `${signature.slice(0, 130)}${signature.endsWith('1b') ? '1c' : '1b'}`],
    ['with a recovery id of no meaning', ({ signature }) => `${signature.slice(0, 130)}1d`],
    ['64 bytes long', ({ signature }) => signature.slice(0, 130)],
    ['66 bytes long', ({ signature }) => `${signature}00`],
    ['66 bytes long, with a byte before it', ({ signature }) => `0x00${signature.slice(2)}`],
    ['empty', () => '0x'],
    ['zero', () => `0x${'00'.repeat(65)}`],
    ['all ones', () => `0x${'ff'.repeat(65)}`],
    ['zero but for its recovery id', () => `0x${'00'.repeat(64)}1b`],
    ['with r beyond the curve', ({ signature }) => `0x${ORDER.toString(16)}${signature.slice(66)}`],
    ['with s of zero', ({ signature }) => `${signature.slice(0, 66)}${'00'.repeat(32)}${signature.slice(130)}`],
  ])('is refused, and the nonce with it: %s', async (_name, forge) => {
    const one = await signed();
    const { code, signedIn, answer } = await submit(house, { message: one.message, signature: await forge(one) });
    expect([code, signedIn, answer.status]).toEqual(['SIWE_SIGNATURE_INVALID', null, 200]);
    expect(await isLive(house, one.nonce)).toBe(false);
    expect((await submit(house, one)).code).toBe('SIWE_NONCE_INVALID');
  });

  it('is of this text and no other', async () => {
    const wallet = newWallet();
    const { nonce, signature, message } = await signed(wallet);
    const altered = message.replace('\n\n\nURI', '\n\nI own this.\n\nURI');
    expect(altered).not.toBe(message);
    expect((await submit(house, { message: altered, signature })).code).toBe('SIWE_SIGNATURE_INVALID');
    expect(await isLive(house, nonce)).toBe(false);
  });
});

/** A fault for each answer, in the order in which they are checked; together they make a text with all of them. */
const FAULTS: readonly [code: string, changes: Partial<Terms>][] = [
  ['SIWE_MALFORMED', { version: '2' }],
  ['SIWE_DOMAIN_MISMATCH', { domain: 'evil.example' }],
  ['SIWE_URI_MISMATCH', { uri: 'https://evil.example' }],
  ['SIWE_CHAIN_NOT_ALLOWED', { chainId: 1 }],
  ['SIWE_ISSUED_AT', { issuedAt: inSeconds(-3600) }],
  ['SIWE_EXPIRED', { expirationTime: inSeconds(-1) }],
  ['SIWE_NOT_YET_VALID', { notBefore: inSeconds(3600) }],
  ['SIWE_NONCE_INVALID', { nonce: UNKNOWN_NONCE }],
  ['SIWE_SIGNATURE_INVALID', {}],
];

describe('the order of the steps', () => {
  const together = (faults: typeof FAULTS): Partial<Terms> =>
    Object.assign({}, ...faults.map(([, changes]) => changes));

  async function presentForged(changes: Partial<Terms>): Promise<Attempt & { nonce: string }> {
    const { nonce } = await getChallenge(house);
    const message = writeText({ ...goodTerms(house, newWallet(), nonce), ...changes });
    return { ...(await submit(house, { message, signature: `0x${'11'.repeat(65)}` })), nonce };
  }

  it.each(FAULTS.map(([code], index) => [code, index] as const))(
    'tells %s first when everything behind it is wrong too',
    async (code, index) => {
      const attempt = await presentForged(together(FAULTS.slice(index)));
      expect([attempt.code, attempt.answer.errors.length]).toEqual([code, 1]);
      expect(await isLive(house, attempt.nonce)).toBe(code !== 'SIWE_SIGNATURE_INVALID');
    },
  );

  it('has the text that was given out before everything else', async () => {
    const { nonce } = await getChallenge(house, { address: newWallet().address });
    const changes = together(FAULTS.slice(1, 7));
    const message = writeText({ ...goodTerms(house, newWallet(), nonce), ...changes });
    const { code } = await submit(house, { message, signature: '0x' });
    expect([code, await isLive(house, nonce)]).toEqual(['SIWE_MALFORMED', true]);
  });
});
