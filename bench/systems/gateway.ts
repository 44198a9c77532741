import pino from 'pino';
import type { Resources } from '../../src/context.ts';
import { readEnvironment } from '../../src/environment.ts';
import { openTollhouse } from '../../src/tollhouse.ts';
import { announce, type SystemSettings } from './child.ts';

/**
 * Starts a gateway as in production, but for its limits of requests.
 * @param prepare may change what the gateway is made of
 */
export async function startGateway(
  settings: SystemSettings,
  prepare?: (resources: Resources) => Promise<void>,
): Promise<void> {
  const environment = readEnvironment({
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: settings.issuer,
    LOG_LEVEL: 'warn',
    DATABASE_POOL_MAX: String(settings.poolSize),
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '1',
  });
  const { databaseUrl, tokenKeys } = settings;
  const log = pino({ level: environment.LOG_LEVEL });
  const { gateway } = await openTollhouse(environment, { databaseUrl, chains: [], tokenKeys }, log, prepare);
  announce(gateway.port);
}
