import type pg from 'pg';
import type { PacketObserver } from '../../src/database/pool.ts';
import { type Database, openDatabase, type Scope } from '../../src/database/scope.ts';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { type DataPath, openDataPath } from './dataPath.ts';

/** A database with two tenants, and what a test opens over it. */
export interface DatabaseHouse extends TestDatabase {
  readonly world: World;
  /** The gateway's own way in, over a pool of one connection. */
  open(options?: { readonly statementTimeout?: number; readonly onPacket?: PacketObserver }): Database;
  /** The same parts, with the pool to be looked into. */
  openPath(options?: { readonly max?: number }): DataPath;
  /** Runs one statement as a superuser. */
  admin(text: string, values?: unknown[]): Promise<pg.QueryResult>;
  /** Closes what was opened since the last time. */
  closeOpened(): Promise<void>;
  close(): Promise<void>;
}

export async function openDatabaseHouse(): Promise<DatabaseHouse> {
  const database = await freshDatabase();
  const world = await seedTenants(database.adminUrl, { tenants: 2 });
  const opened: { close(): Promise<void> }[] = [];
  const closeOpened = async (): Promise<void> => {
    for (const each of opened.splice(0)) await each.close();
  };
  return {
    ...database,
    world,
    open(options = {}) {
      const one = openDatabase({
        url: database.gatewayUrl,
        max: 1,
        min: 0,
        statementTimeout: 30_000,
        idleInTransactionTimeout: 30_000,
        ...options,
      });
      opened.push(one);
      return one;
    },
    openPath(options) {
      const path = openDataPath(database.gatewayUrl, options);
      opened.push(path);
      return path;
    },
    admin: (text, values) => withSession(database.adminUrl, (client) => client.query(text, values)),
    closeOpened,
    async close() {
      await closeOpened();
      await database.drop();
    },
  };
}

/** The titles of all links that a scope can see, in their order. */
export async function titlesIn(scope: Scope): Promise<string[]> {
  const links = await scope.db.paymentLink.findMany({ select: { title: true }, orderBy: { title: 'asc' } });
  return links.map(({ title }) => title);
}

/** The titles of all links that a tenant was seeded with. */
export function titlesOf({ marker, links }: Tenant): string[] {
  return links.map((_, index) => `${marker} link ${index}`);
}
