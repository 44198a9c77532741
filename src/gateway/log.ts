import pino, { type DestinationStream, type Logger } from 'pino';
import { describeFault } from '../graphql/errors.ts';

/** Names that must never reach a log with their values, should somebody try; the code around them tries not to. */
const SECRETS = ['authorization', 'token', 'accessToken', 'refreshToken', 'signature', 'nonce', 'variables', 'query'];

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
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => (error instanceof Error ? describeFault(error) : error) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination,
  );
}
