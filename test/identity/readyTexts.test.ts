import { ParsedMessage } from '@spruceid/siwe-parser';
import { describe, expect, it } from 'vitest';
import { readSiweMessage, writeSiweMessage } from '../../src/identity/model.ts';
import { FULL, seeded } from '../support/scale.ts';
import { newWallet } from './visitor.ts';

const TEXTS = FULL ? 100_000 : 2_000;

/** What the grammar alone says of a text. */
function byGrammar(text: string): object | null {
  try {
    const { version, address, resources, ...rest } = new ParsedMessage(text);
    const { scheme, domain, uri, chainId, nonce, issuedAt, expirationTime, notBefore } = rest;
    const terms = { scheme, domain, uri, chainId, nonce, issuedAt, expirationTime, notBefore };
    return version === '1' ? { ...terms, address: address.toLowerCase(), resources: resources ?? [] } : null;
  } catch {
    return null;
  }
}

function ours(text: string): object | null {
  const read = readSiweMessage(text, '0x');
  if (!read) return null;
  const { scheme, domain, address, uri, chainId, nonce, issuedAt, expirationTime, notBefore, resources } = read;
  return { scheme, domain, address, uri, chainId, nonce, issuedAt, expirationTime, notBefore, resources };
}

const ORIGINS = ['http://localhost:4000', 'https://app.example', 'https://a-b.c1.example:65535', 'http://127.0.0.1:1'];
const PIECES = [
  '\n',
  ' ',
  ':',
  '0',
  '9',
  'a',
  'Z',
  '-',
  '.',
  '//',
  '[',
  '%41',
  'ü',
  '\r',
  '\t',
  '+',
  'https://',
  '\u2028',
];

/** A text of ours with a few characters that are not: taken away, put in, said twice, in the other case. */
function garble(text: string, random: () => number): string {
  let garbled = text;
  for (let times = Math.floor(random() * 3); times >= 0; times -= 1) {
    const place = Math.floor(random() * garbled.length);
    const [front, behind] = [garbled.slice(0, place), garbled.slice(place)];
    const piece = PIECES[Math.floor(random() * PIECES.length)] ?? '';
    const [first = ''] = behind;
    const flipped = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase();
    const ways = [behind.slice(1), piece + behind, piece + behind.slice(1), first + behind, flipped + behind.slice(1)];
    garbled = front + (ways[Math.floor(random() * ways.length)] ?? '');
  }
  return garbled;
}

describe('a text that looks like ours', () => {
  it(`is read as the grammar reads it, or refused as the grammar refuses it, ${TEXTS} times`, () => {
    const random = seeded(4361);
    const seen = { good: 0, bad: 0 };
    for (let count = 0; count < TEXTS; count += 1) {
      const origin = ORIGINS[count % ORIGINS.length] ?? '';
      const text = writeSiweMessage({
        ...{ origin, address: newAddress(count), chainId: 1 + Math.floor(random() * 9_999), nonce: nonceOf(random) },
        ...{ statement: "Sign in, it's free.", issuedAt: 1_800_000_000_000 + count, expiresAt: 1_800_000_300_000 },
      });
      const given = count % 10 === 0 ? text : garble(text, random);
      const expected = byGrammar(given);
      expect([given, ours(given)]).toEqual([given, expected]);
      seen[expected ? 'good' : 'bad'] += 1;
    }
    expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(TEXTS / 10);
    console.info(`ready texts: ${seen.good} read and ${seen.bad} refused as by the grammar`);
  }, 600_000);

  it.each([
    ['2026-02-30T00:00:00.000Z', 'a day that no month has'],
    ['2026-13-01T00:00:00.000Z', 'a month that no year has'],
    ['2026-01-01T24:00:00.000Z', 'an hour that no day has'],
    ['--------------::::::::TZ', 'no time at all'],
  ])('with the time %s is refused: %s', (time) => {
    const text = writeSiweMessage({
      ...{ origin: 'http://localhost:4000', address: newAddress(0), chainId: 1, nonce: '0123456789abcdef'.repeat(2) },
      ...{ statement: 'Sign in.', issuedAt: 0, expiresAt: 0 },
    });
    for (const line of ['Issued At', 'Expiration Time']) {
      const altered = text.replace(`${line}: 1970-01-01T00:00:00.000Z`, `${line}: ${time}`);
      expect([ours(altered), byGrammar(altered)]).toEqual([null, null]);
    }
    expect(ours(text)).toEqual(byGrammar(text));
    expect(ours(text)).not.toBe(null);
  });
});

const wallets = Array.from({ length: 20 }, () => newWallet().address);

function newAddress(place: number): string {
  return wallets[place % wallets.length] ?? '';
}

function nonceOf(random: () => number): string {
  return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
}
