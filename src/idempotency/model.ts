import { sha256 } from '../kernel/digest.ts';
import { kernelErrors } from '../kernel/errors.ts';

/** How many hours the key of a deed is remembered: thirty days where it is about money, one day otherwise. */
export function hoursOf({ isMoney = false }: { readonly isMoney?: boolean }): number {
  return isMoney ? 30 * 24 : 24;
}

const SANE = /^[\x21-\x7e]{16,128}$/;

/** The key as it is stored, a SHA-256; one that a person could guess or that does not fit a header is refused. */
export function hashKey(key: string, path: string): Buffer<ArrayBuffer> {
  if (!SANE.test(key)) {
    throw kernelErrors.BAD_USER_INPUT({
      input: 'idempotencyKey',
      expected: '16 to 128 printable ASCII characters without spaces',
    });
  }
  return sha256(`${path}\n${key}`);
}

/** The same for the same variables, whatever the order of their names; what is null or absent is the same too. */
export function hashRequest(variables: object): Buffer<ArrayBuffer> {
  return sha256(JSON.stringify(variables, inOneOrder));
}

function inOneOrder(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null && inner !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
