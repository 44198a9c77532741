import pino, { type DestinationStream, type Logger } from 'pino';
import { describeFault } from '../graphql/errors.ts';

/** Names that must never reach a log with their values, should somebody try. */
const SECRETS = [
  'authorization',
  'x-api-key',
  'claim',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'signature',
  'nonce',
  'variables',
  'query',
];

/**
 * The process's log: one JSON object a line.
 * @param destination standard output when absent
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: (error: unknown) => (error instanceof Error ? describeFault(error) : error) },
    },
    destination,
  );
}

/** Pino's own redaction copies every line before it looks; this looks first. */
function withoutSecrets(line: Record<string, unknown>): Record<string, unknown> {
  const guilty = Object.keys(line).filter((name) => SECRETS.includes(name) || holdsSecret(line[name]));
  if (guilty.length === 0) return line;
  return { ...line, ...Object.fromEntries(guilty.map((name) => [name, '[redacted]'])) };
}

function holdsSecret(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Error) && SECRETS.some((name) => name in value)
  );
}
