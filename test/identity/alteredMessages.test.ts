import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL, seeded } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  getChallenge,
  goodTerms,
  inSeconds,
  newWallet,
  sql,
  submit,
  type Terms,
  UNKNOWN_NONCE,
  writeText,
} from './visitor.ts';

const MESSAGES = FULL ? 1_000 : 12;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true, settings: { SIGN_IN_CHAIN_IDS: '31337,8453' } });
});
afterAll(() => house.stop());

/** Chooses one of several, the same for each seed. */
type Choose = <One>(...some: readonly [One, ...One[]]) => One;

/** One field said otherwise, and what that is refused for. */
interface Alteration {
  readonly change: Partial<Terms>;
  readonly code: string;
}

/** Of each field: another value that the policy allows, which only the signature tells, and one that it does not. */
const FIELDS: Readonly<Record<keyof Terms, (terms: Terms, choose: Choose) => readonly [Alteration, Alteration]>> = {
  scheme: () => [
    { change: { scheme: 'http' }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { scheme: 'https' }, code: 'SIWE_DOMAIN_MISMATCH' },
  ],
  domain: ({ domain }, choose) => [
    // the other domain that is allowed; the URI is not its own then
    { change: { domain: domain.replace('localhost', '127.0.0.1') }, code: 'SIWE_URI_MISMATCH' },
    { change: { domain: choose(`x.${domain}`, 'evil.example', `${domain}0`) }, code: 'SIWE_DOMAIN_MISMATCH' },
  ],
  address: ({ address }) => [
    { change: { address: newWallet().address }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { address: address.toLowerCase() }, code: 'SIWE_MALFORMED' },
  ],
  statement: (_, choose) => [
    { change: { statement: choose('I owe you one.', 'Sign in.', 'x') }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { statement: choose('Bitte schön.', 'One\nmore.', '"') }, code: 'SIWE_MALFORMED' },
  ],
  uri: ({ uri }, choose) => [
    { change: { uri: choose(`${uri}/`, `${uri}/a?b=c`, `${uri}#d`) }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { uri: choose('https://evil.example', `${uri}0`, 'urn:a:b') }, code: 'SIWE_URI_MISMATCH' },
  ],
  version: (_, choose) => [
    { change: { version: choose('2', '0', '10') }, code: 'SIWE_MALFORMED' },
    { change: { version: choose('1.0', '01', '') }, code: 'SIWE_MALFORMED' },
  ],
  chainId: (_, choose) => [
    // an allowed chain, of which no node can be asked whether a contract signed
    { change: { chainId: 8453 }, code: 'SIGNATURE_CHECK_UNSUPPORTED' },
    { change: { chainId: choose<number | string>(1, 31_338, '9007199254740993') }, code: 'SIWE_CHAIN_NOT_ALLOWED' },
  ],
  nonce: ({ nonce }, choose) => [
    { change: { nonce: choose(UNKNOWN_NONCE, `${nonce}0`, nonce.slice(1)) }, code: 'SIWE_NONCE_INVALID' },
    { change: { nonce: choose(nonce.slice(0, 7), `${nonce}-`, '') }, code: 'SIWE_MALFORMED' },
  ],
  issuedAt: (_, choose) => [
    { change: { issuedAt: inSeconds(choose(-200, -100, 30)) }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { issuedAt: inSeconds(choose(-400, -90_000, 200)) }, code: 'SIWE_ISSUED_AT' },
  ],
  expirationTime: (_, choose) => [
    { change: { expirationTime: inSeconds(choose(300, 400, 90_000)) }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { expirationTime: inSeconds(choose(-1, -60, -90_000)) }, code: 'SIWE_EXPIRED' },
  ],
  notBefore: (_, choose) => [
    { change: { notBefore: inSeconds(choose(-1, -60, -90_000)) }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { notBefore: inSeconds(choose(200, 400, 90_000)) }, code: 'SIWE_NOT_YET_VALID' },
  ],
  requestId: (_, choose) => [
    { change: { requestId: choose('r-1', 'another', '') }, code: 'SIWE_SIGNATURE_INVALID' },
    { change: { requestId: choose('r 1', 'ü', '<r>') }, code: 'SIWE_MALFORMED' },
  ],
  resources: (_, choose) => [
    { change: { resources: [] }, code: 'SIWE_SIGNATURE_INVALID' },
    {
      change: { resources: [choose('https://evil.example', 'urn:a:b', 'no address')] },
      code: 'SIWE_MALFORMED',
    },
  ],
};

describe('a text with one field that says something else', () => {
  it(`is refused, whichever field it is, of ${MESSAGES} texts, each altered within the policy and beyond it`, async () => {
    const random = seeded(4361);
    const choose: Choose = (...some) => some[Math.floor(random() * some.length)] ?? some[0];
    const wallet = newWallet();
    const before = await sql(house, 'select from sessions');
    let refused = 0;
    for (let message = 0; message < MESSAGES; message += 1) {
      const given = { statement: choose(undefined, 'Come in.'), expirationTime: choose(undefined, inSeconds(240)) };
      for (const [field, alter] of Object.entries(FIELDS)) {
        for (const side of [0, 1] as const) {
          const { nonce } = await getChallenge(house);
          const terms: Terms = { ...goodTerms(house, wallet, nonce), ...defined(given) };
          const { change, code: expected } = alter(terms, choose)[side];
          const text = writeText({ ...terms, ...change });
          // What the policy allows must have been altered behind the signer's back; what it forbids may even be signed.
          const signed = side === 0 || choose(true, false) ? writeText(terms) : text;
          const { code, answer } = await submit(house, {
            message: text,
            signature: await wallet.signMessage({ message: signed }),
          });
          expect([message, field, change, answer.status, code]).toEqual([message, field, change, 200, expected]);
          refused += 1;
        }
      }
      const { nonce } = await getChallenge(house);
      const text = writeText({ ...goodTerms(house, newWallet(), nonce), ...defined(given), address: wallet.address });
      const signature = await wallet.signMessage({ message: text });
      expect([message, (await submit(house, { message: text, signature })).code]).toEqual([message, 'OK']);
    }
    expect(await sql(house, 'select from sessions')).toHaveLength(before.length + MESSAGES);
    console.info(`altered texts: ${refused} refused, of ${MESSAGES} texts in ${Object.keys(FIELDS).length} fields`);
  }, 3_600_000);
});

/** Without the fields that are absent. */
function defined(terms: { readonly [Field in keyof Terms]?: Terms[Field] | undefined }): Partial<Terms> {
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined));
}
