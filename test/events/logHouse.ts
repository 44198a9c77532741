import pg from 'pg';
import { poolOptions } from '../../src/database/pool.ts';
import { type Database, openDatabase, type Transaction } from '../../src/database/scope.ts';
import { readEnvironment } from '../../src/environment.ts';
import { appendEvent, type NewEvent } from '../../src/events/commands/appendEvent.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase } from '../support/database.ts';

/** A log of one organization, as the worker writes and reads it. */
export interface LogHouse {
  readonly organizationId: string;
  readonly database: Database;
  readonly admin: pg.Client;
  /** Runs as background work inside the organization. */
  inTenant<Result>(run: (tx: Transaction) => Promise<Result>): Promise<Result>;
  append(event: NewEvent): Promise<unknown>;
  /** A fact about something of its own. */
  fact(given?: Partial<NewEvent>): NewEvent;
  stop(): Promise<void>;
}

export const REQUEST = { requestId: 'request-1' };

/** @param connections how many may write at one instant */
export async function openLogHouse(connections: number): Promise<LogHouse> {
  const place = await freshDatabase();
  const environment = readEnvironment({ NODE_ENV: 'test', DATABASE_POOL_MAX: String(connections) });
  const database = openDatabase(poolOptions(environment, place.gatewayUrl));
  const admin = new pg.Client({ connectionString: place.adminUrl });
  await admin.connect();
  const organizationId = newId();
  await admin.query(`insert into organizations (id, name, slug) values ($1, 'Aurora', 'aurora')`, [organizationId]);
  const inTenant: LogHouse['inTenant'] = (run) =>
    database.as({ kind: 'worker', ...REQUEST, organizationId }).transaction(run);
  return {
    organizationId,
    database,
    admin,
    inTenant,
    append: (event) => inTenant((tx) => appendEvent(REQUEST, tx, event)),
    fact: (given = {}) => {
      const id = newId();
      return {
        type: 'payment-order.paid',
        organizationId,
        aggregate: { type: 'payment-order', id, version: 1 },
        actor: 'worker',
        tags: [`payment-order:${id}`],
        data: {},
        ...given,
      };
    },
    stop: async () => {
      await admin.end();
      await database.close();
      await place.drop();
    },
  };
}
