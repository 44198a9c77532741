/** A string, to be left alone, or a number; no alternative begins as another does, so nothing is tried twice. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Digits that a double holds whatever they are. */
const EXACT_DIGITS = 15;

/**
 * Turns numbers that a double would round into strings, in a JSON text.
 *
 * Prisma reads relations as JSON that Postgres builds, and parses it with `JSON.parse`: a NUMERIC of more than fifteen
 * digits, which is any amount of a token with eighteen decimals, came out rounded. As a string it stays exact, and
 * Prisma makes the same `Decimal` or `bigint` of it.
 */
export function keepExact(json: string): string {
  return json.replace(TOKEN, (token) => (token.length > EXACT_DIGITS && token[0] !== '"' ? `"${token}"` : token));
}
