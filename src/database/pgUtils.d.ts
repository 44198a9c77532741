declare module 'pg/lib/utils.js' {
  /** Turns a value into what the wire carries: text, bytes or null. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
