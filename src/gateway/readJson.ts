import { type GatewayError, kernelErrors } from '../kernel/errors.ts';

/** No input of ours nests half as deep, and what walks a value recursively stays far from the end of its stack. */
const DEEPEST = 32;
const LONGEST_NAME = 100;

interface Level {
  /** The names of an object so far; null in an array. */
  readonly names: Set<string> | null;
  /** Where we are inside it: a name, or a place. */
  at: string | number;
  /** Whether the next text is a name. */
  naming: boolean;
}

/**
 * Reads JSON that means one thing to every reader: no name twice, none that is a trap to JavaScript, no text that
 * PostgreSQL could not keep as it is.
 * @param what how the error calls the text
 * @throws BAD_REQUEST, BAD_USER_INPUT, DOCUMENT_TOO_LARGE
 */
export function readJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw kernelErrors.BAD_REQUEST({ fault: `${what} is not JSON` });
  }
  inspect(text, what);
  return value;
}

/** Walks over a text that is known to be JSON, and stops at the first thing that we refuse. */
function inspect(text: string, what: string): void {
  const levels: Level[] = [];
  let level: Level | undefined;
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case '{':
      case '[':
        level =
          text[index] === '{' ? { names: new Set(), at: '', naming: true } : { names: null, at: 0, naming: false };
        if (levels.push(level) > DEEPEST)
          throw kernelErrors.DOCUMENT_TOO_LARGE({ limit: 'depth of JSON', most: DEEPEST });
        break;
      case '}':
      case ']':
        levels.pop();
        level = levels.at(-1);
        break;
      case ',':
        if (typeof level?.at === 'number') level.at++;
        else if (level) level.naming = true;
        break;
      case '"': {
        const end = endOfText(text, index);
        const fault = refusalOf(content(text, index, end), levels, what);
        if (fault) throw fault;
        index = end;
      }
    }
  }
}

/** The place of the quotation mark that ends the text which begins at this one. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

function content(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
}

function refusalOf(text: string, levels: readonly Level[], what: string): GatewayError | null {
  const level = levels.at(-1);
  const unkept = faultOfText(text);
  if (unkept) return kernelErrors.BAD_USER_INPUT({ input: levels.map(placeOf).join('.') || what, fault: unkept });
  if (!level?.naming) return null;
  const name = text.slice(0, LONGEST_NAME);
  if (text === '__proto__') return kernelErrors.BAD_REQUEST({ fault: 'a name is not allowed', name });
  if (level.names?.has(text)) return kernelErrors.BAD_REQUEST({ fault: 'a name stands twice', name });
  level.names?.add(text);
  level.at = text;
  level.naming = false;
  return null;
}

function placeOf({ at }: Level): string {
  return String(at).slice(0, LONGEST_NAME);
}

/** Why PostgreSQL could not keep a text as it is, or null. */
export function faultOfText(text: string): string | null {
  if (text.includes('\0')) return 'it holds a NUL character';
  return /\p{Surrogate}/u.test(text) ? 'it holds half a surrogate pair' : null;
}
