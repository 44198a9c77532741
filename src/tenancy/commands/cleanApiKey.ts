import { isIP } from 'node:net';
import { kernelErrors } from '../../kernel/errors.ts';
import { cleanText } from '../../kernel/text.ts';

/** What can be changed of an API key: what is absent stays as it is, and null takes away what may be missing. */
export interface KeyWords {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly allowedAddresses?: readonly string[] | null | undefined;
  readonly allowedOrigins?: readonly string[] | null | undefined;
  readonly monthlyLimit?: number | null | undefined;
}

const MOST_PLACES = 20;
const MOST_CALLS = 2_147_483_647;

/**
 * Holds each word to the rule of its field.
 * @throws BAD_USER_INPUT with the field and what is expected of it
 */
export function cleanApiKey(words: KeyWords): KeyWords {
  const { name, description, expiresAt, allowedAddresses, allowedOrigins, monthlyLimit } = words;
  if (name === null) throw refuse('name', 'a text, since no key is without one');
  if (monthlyLimit != null && (monthlyLimit < 1 || monthlyLimit > MOST_CALLS)) {
    throw refuse('monthlyLimit', `1 to ${MOST_CALLS}`);
  }
  const cleaned: KeyWords = {
    name: name === undefined ? undefined : cleanText(name, 'name', { max: 100 }),
    description: description && cleanText(description, 'description', { max: 1_000, multiline: true }),
    expiresAt,
    allowedAddresses: allowedAddresses && few('allowedAddresses', allowedAddresses.map(cleanAddress)),
    allowedOrigins: allowedOrigins && few('allowedOrigins', allowedOrigins.map(cleanOrigin)),
    monthlyLimit,
  };
  return Object.fromEntries(Object.entries(cleaned).filter(([, value]) => value !== undefined));
}

/** An address, or a network as CIDR writes it; PostgreSQL makes the one spelling of it. */
function cleanAddress(given: string): string {
  const text = given.trim();
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  const sane = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  // a client whose address is IPv4 is known by that, and an address of one link says nothing elsewhere
  const foreign = address.includes('%') || /^::ffff:/i.test(address);
  if (version === 0 || !sane || rest.length > 0 || foreign) {
    throw refuse('allowedAddresses', 'IPv4 or IPv6 addresses or networks, such as 192.0.2.0/24');
  }
  return text;
}

/** An origin as browsers send it. */
function cleanOrigin(given: string): string {
  const text = given.trim();
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== text.toLowerCase() || text.length > 300) {
    throw refuse('allowedOrigins', 'origins such as https://shop.example.com, without a path');
  }
  return url.origin;
}

function few(field: string, given: readonly string[]): readonly string[] {
  if (given.length > MOST_PLACES) throw refuse(field, `at most ${MOST_PLACES}`);
  return [...new Set(given)];
}

function refuse(field: string, expected: string): Error {
  return kernelErrors.BAD_USER_INPUT({ field, expected });
}
