import type { Hex } from 'viem';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { Gateway } from './gateway.ts';
import { type Terms, writeText } from './text.ts';

/** Something that is handed in, and the only right answer to it. */
export interface Case {
  /** The code that the case is about; a permitted one stands beside the refused ones of its code. */
  readonly about: string;
  readonly name: string;
  /** `OK`, or the code of the refusal. */
  readonly expected: string;
  readonly run: (gateway: Gateway) => Promise<string>;
}

type Wallet = PrivateKeyAccount;

const newWallet = (): Wallet => privateKeyToAccount(generatePrivateKey());

/** A text of the wallet's own with a fresh nonce, good but for what is changed. */
async function ownText(gateway: Gateway, wallet: Wallet, change: Change = () => ({})): Promise<string> {
  const { nonce } = await gateway.challenge();
  const terms: Terms = { ...gateway.terms(), address: wallet.address, nonce };
  return writeText({ ...terms, ...change(gateway, terms) });
}

type Change = (gateway: Gateway, terms: Terms) => Partial<Terms>;

/** Signs an own text that says something else than a good one, and hands it in. */
function changed(change?: Change, headers?: (gateway: Gateway) => Record<string, string>): Case['run'] {
  return async (gateway) => {
    const wallet = newWallet();
    const message = await ownText(gateway, wallet, change);
    return gateway.signIn(message, await wallet.signMessage({ message }), headers?.(gateway));
  };
}

/** Signs the text that the gateway gave out, or what became of it. */
function ready(change: (text: string) => string = (text) => text): Case['run'] {
  return async (gateway) => {
    const wallet = newWallet();
    const message = change((await gateway.challenge(wallet.address)).message ?? '');
    return gateway.signIn(message, await wallet.signMessage({ message }));
  };
}

/** Hands in a good text with what became of its signature. */
function forged(forge: (signature: Hex, message: string) => string | Promise<string>): Case['run'] {
  return async (gateway) => {
    const wallet = newWallet();
    const message = await ownText(gateway, wallet);
    return gateway.signIn(message, await forge(await wallet.signMessage({ message }), message));
  };
}

/** A text of exactly so many bytes. */
const ofLength =
  (bytes: number): Change =>
  (_gateway, terms) => ({ statement: 'x'.repeat(bytes - writeText({ ...terms, statement: '' }).length) });

const twice: Case['run'] = async (gateway) => {
  const wallet = newWallet();
  const message = await ownText(gateway, wallet);
  const signature = await wallet.signMessage({ message });
  await gateway.signIn(message, signature);
  return gateway.signIn(message, signature);
};

const burntByForgery: Case['run'] = async (gateway) => {
  const wallet = newWallet();
  const message = await ownText(gateway, wallet);
  await gateway.signIn(message, await newWallet().signMessage({ message }));
  return gateway.signIn(message, await wallet.signMessage({ message }));
};

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const flip = (signature: Hex): string => (signature.endsWith('1b') ? '1c' : '1b');
const mirrored = (signature: Hex): string => {
  const s = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
  return `${signature.slice(0, 66)}${s}${flip(signature)}`;
};

const originOf = ({ terms }: Gateway): string => new URL(terms().uri).origin;
const otherScheme = (gateway: Gateway): string => (originOf(gateway).startsWith('https:') ? 'http' : 'https');

/** One row a case: what is permitted stands first. */
const ROWS: readonly [about: string, name: string, verdict: 'OK' | 'refused', run: Case['run']][] = [
  ['SIWE_MALFORMED', 'the text that was given out', 'OK', ready()],
  ['SIWE_MALFORMED', 'a text of the wallet’s own', 'OK', changed(() => ({ statement: 'Mine.', requestId: 'r-1' }))],
  ['SIWE_MALFORMED', 'a text of 4,096 bytes', 'OK', changed(ofLength(4096))],
  ['SIWE_MALFORMED', 'a text of 4,097 bytes', 'refused', changed(ofLength(4097))],
  ['SIWE_MALFORMED', 'the text that was given out, and a line', 'refused', ready((text) => `${text}\nRequest ID: 1`)],
  ['SIWE_MALFORMED', 'version 2', 'refused', changed(() => ({ version: '2' }))],
  ['SIWE_MALFORMED', 'an address in lower case', 'refused', changed((_, t) => ({ address: t.address.toLowerCase() }))],
  ['SIWE_MALFORMED', 'resources', 'refused', changed(() => ({ resources: ['https://app.example/terms'] }))],
  ['SIWE_MALFORMED', 'a date that does not exist', 'refused', changed(() => ({ issuedAt: '2026-02-30T10:00:00Z' }))],

  ['SIWE_DOMAIN_MISMATCH', 'the gateway’s domain', 'OK', changed()],
  ['SIWE_DOMAIN_MISMATCH', 'its scheme before it', 'OK', changed((g) => ({ scheme: originOf(g).split(':')[0] ?? '' }))],
  ['SIWE_DOMAIN_MISMATCH', 'its own page asking', 'OK', changed(undefined, (g) => ({ origin: originOf(g) }))],
  ['SIWE_DOMAIN_MISMATCH', 'a stranger’s domain', 'refused', changed(() => ({ domain: 'stranger.example' }))],
  ['SIWE_DOMAIN_MISMATCH', 'a subdomain', 'refused', changed((_, { domain }) => ({ domain: `x.${domain}` }))],
  ['SIWE_DOMAIN_MISMATCH', 'a longer name', 'refused', changed((_, { domain }) => ({ domain: `x${domain}` }))],
  ['SIWE_DOMAIN_MISMATCH', 'another scheme', 'refused', changed((g) => ({ scheme: otherScheme(g) }))],
  ['SIWE_DOMAIN_MISMATCH', 'a stranger’s page', 'refused', changed(undefined, () => ({ origin: 'https://x.example' }))],

  ['SIWE_URI_MISMATCH', 'a path of its origin', 'OK', changed((g) => ({ uri: `${originOf(g)}/sign-in?a=b#c` }))],
  ['SIWE_URI_MISMATCH', 'a stranger’s origin', 'refused', changed(() => ({ uri: 'https://stranger.example' }))],
  [
    'SIWE_URI_MISMATCH',
    'another scheme',
    'refused',
    changed((g, { domain }) => ({ uri: `${otherScheme(g)}://${domain}` })),
  ],
  ['SIWE_URI_MISMATCH', 'no origin', 'refused', changed((_, { domain }) => ({ uri: `urn:${domain}` }))],

  ['SIWE_CHAIN_NOT_ALLOWED', 'the gateway’s chain', 'OK', changed()],
  ['SIWE_CHAIN_NOT_ALLOWED', 'a chain of nobody', 'refused', changed(() => ({ chainId: 9_007_199_254_740_881 }))],
  ['SIWE_CHAIN_NOT_ALLOWED', 'zero', 'refused', changed(() => ({ chainId: 0 }))],

  ['SIWE_ISSUED_AT', 'four minutes ago', 'OK', changed((g) => ({ issuedAt: g.inSeconds(-240) }))],
  ['SIWE_ISSUED_AT', 'half a minute ahead', 'OK', changed((g) => ({ issuedAt: g.inSeconds(30) }))],
  ['SIWE_ISSUED_AT', 'six minutes ago', 'refused', changed((g) => ({ issuedAt: g.inSeconds(-360) }))],
  ['SIWE_ISSUED_AT', 'two minutes ahead', 'refused', changed((g) => ({ issuedAt: g.inSeconds(120) }))],

  ['SIWE_EXPIRED', 'an end that is to come', 'OK', changed((g) => ({ expirationTime: g.inSeconds(240) }))],
  ['SIWE_EXPIRED', 'an end that has come', 'refused', changed((g) => ({ expirationTime: g.inSeconds(-5) }))],

  ['SIWE_NOT_YET_VALID', 'a beginning that has come', 'OK', changed((g) => ({ notBefore: g.inSeconds(-5) }))],
  ['SIWE_NOT_YET_VALID', 'a beginning to come', 'refused', changed((g) => ({ notBefore: g.inSeconds(240) }))],

  ['SIWE_NONCE_INVALID', 'a nonce that was given out', 'OK', changed()],
  ['SIWE_NONCE_INVALID', 'one that was not', 'refused', changed(() => ({ nonce: '0123456789abcdef0123456789abcdef' }))],
  ['SIWE_NONCE_INVALID', 'in capitals', 'refused', changed((_, { nonce }) => ({ nonce: `${nonce.toUpperCase()}A` }))],
  ['SIWE_NONCE_INVALID', 'used', 'refused', twice],
  ['SIWE_NONCE_INVALID', 'used by a forger', 'refused', burntByForgery],

  ['SIWE_SIGNATURE_INVALID', 'the account’s own', 'OK', changed()],
  [
    'SIWE_SIGNATURE_INVALID',
    'with a recovery id of 0 or 1',
    'OK',
    forged((own) => `${own.slice(0, 130)}${own.endsWith('1b') ? '00' : '01'}`),
  ],
  [
    'SIWE_SIGNATURE_INVALID',
    'another account’s',
    'refused',
    forged((_, message) => newWallet().signMessage({ message })),
  ],
  ['SIWE_SIGNATURE_INVALID', 'its mirror image', 'refused', forged(mirrored)],
  ['SIWE_SIGNATURE_INVALID', 'turned round', 'refused', forged((own) => `${own.slice(0, 130)}${flip(own)}`)],
  ['SIWE_SIGNATURE_INVALID', 'of 64 bytes', 'refused', forged((own) => own.slice(0, 130))],
  ['SIWE_SIGNATURE_INVALID', 'of zeros', 'refused', forged(() => `0x${'00'.repeat(65)}`)],
];

/** What each code of the page refuses, with what is permitted beside it. */
export const NAMED_CASES: readonly Case[] = ROWS.map(([about, name, verdict, run]) => ({
  about,
  name,
  expected: verdict === 'OK' ? 'OK' : about,
  run,
}));
