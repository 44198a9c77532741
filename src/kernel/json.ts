import { kernelErrors } from './errors.ts';

/** A JSON object, as a client gave it. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_KEYS = 50;
const MAX_TEXT = 500;
const MAX_DOCUMENT_BYTES = 16_384;
const MAX_LEVELS = 5;
/** What PostgreSQL's JSON cannot hold: NUL, and halves of characters. */
const NOT_TEXT = /[\0\p{Cs}]/u;

/**
 * A JSON object of one level: at most 50 keys of 500 characters, with a text of as many, a number or a boolean for each.
 * @param field the input's name, for the error
 * @throws BAD_USER_INPUT
 */
export function cleanFlatObject(given: JsonObject, field: string): JsonObject {
  const fits = (text: string): boolean => [...text].length <= MAX_TEXT && !NOT_TEXT.test(text);
  const plain = (value: unknown): boolean =>
    typeof value === 'string' ? fits(value) : typeof value === 'boolean' || Number.isFinite(value);
  const entries = Object.entries(given);
  if (entries.length > MAX_KEYS || !entries.every(([key, value]) => fits(key) && plain(value))) {
    const expected = `at most ${MAX_KEYS} keys, each and its text of at most ${MAX_TEXT} characters; or numbers, booleans`;
    throw kernelErrors.BAD_USER_INPUT({ field, expected });
  }
  return given;
}

/**
 * A JSON object of at most 16 KB and five levels, whose numbers can be written without an exponent.
 * @param field the input's name, for the error
 * @throws BAD_USER_INPUT
 */
export function cleanDocument(given: JsonObject, field: string): JsonObject {
  if (!isDocument(given, 0) || Buffer.byteLength(JSON.stringify(given)) > MAX_DOCUMENT_BYTES) {
    const expected = `at most ${MAX_DOCUMENT_BYTES} bytes of JSON and ${MAX_LEVELS} levels, without NUL and exponents`;
    throw kernelErrors.BAD_USER_INPUT({ field, expected });
  }
  return given;
}

/** An exponent may stand for more digits than the database is to keep. */
function isDocument(value: unknown, level: number): boolean {
  if (level > MAX_LEVELS) return false;
  if (typeof value === 'string') return !NOT_TEXT.test(value);
  if (typeof value === 'number') return Number.isFinite(value) && !String(value).includes('e');
  if (typeof value !== 'object' || value === null) return value === null || typeof value === 'boolean';
  return Object.entries(value).every(([key, inner]) => !NOT_TEXT.test(key) && isDocument(inner, level + 1));
}
