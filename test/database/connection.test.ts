import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Scope } from '../../src/database/scope.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesIn, titlesOf } from './databaseHouse.ts';
import { CLEAN, failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one] = house.world.tenants as [Tenant, Tenant];
});
afterEach(() => house.closeOpened());
afterAll(() => house.close());

describe('a connection', () => {
  /** Does something to the gateway's backend once it runs a statement of this text. */
  async function strike(deed: 'pg_terminate_backend' | 'pg_cancel_backend', mark: string): Promise<void> {
    const { rowCount } = await house.admin(
      `select ${deed}(pid) from pg_stat_activity where datname = current_database() and state = 'active'
         and query like $1 and pid <> pg_backend_pid()`,
      [`%${mark}%`],
    );
    if (rowCount) return;
    await setTimeout(10);
    await strike(deed, mark);
  }

  const sleep = (scope: Scope): Promise<unknown> => scope.db.$queryRaw`select pg_sleep(30)::text as slept`;
  const sleepInside = (scope: Scope): Promise<unknown> =>
    scope.transaction(async (tx) => {
      await tx.$queryRaw`select 1`;
      return tx.$queryRaw`select pg_sleep(30)::text as slept`;
    });

  it.each([
    ['a read', sleep],
    ['a transaction', sleepInside],
  ])('whose backend is killed under %s fails it once, retryably', async (_, run) => {
    const scope = house.open().as(memberScene(one));
    const [outcome] = await Promise.all([failureOf(run(scope)), strike('pg_terminate_backend', 'pg_sleep(30)')]);
    expect(outcome).toBe('UNAVAILABLE, retryable');
    expect(await titlesIn(scope)).toEqual(titlesOf(one));
  });

  it('whose backend is killed while it is idle is replaced', async () => {
    const scope = house.open().as(memberScene(one));
    for (const _ of [1, 2, 3]) {
      await titlesIn(scope);
      await house.admin(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'tollhouse_gateway'",
      );
      // a statement may meet the dead connection before the news of its death
      const outcome = await failureOf(titlesIn(scope));
      expect(['UNAVAILABLE, retryable', { answer: titlesOf(one) }]).toContainEqual(outcome);
      expect(await titlesIn(scope)).toEqual(titlesOf(one));
    }
  });

  it.each(['a read', 'a transaction'])('that is cut under %s fails it, and the process lives', async (what) => {
    const path = house.openPath();
    const cut = (): void => {
      for (const { connection } of (path.pool as unknown as { _clients: Cuttable[] })._clients)
        connection.stream.destroy();
    };
    const running = path.as(memberScene(one), () =>
      what === 'a read'
        ? path.client.$queryRaw`select pg_sleep(30)::text`
        : path.client.$transaction(async (tx) => {
            await tx.$queryRaw`select 1`;
            return tx.$queryRaw`select pg_sleep(30)::text`;
          }),
    );
    const outcome = running.then(
      () => 'answered',
      (error: Error) => error.message,
    );
    while (!path.packets.flat().some(({ text }) => text.includes('pg_sleep'))) await setTimeout(5);
    cut();
    expect(await outcome).toMatch(/Connection terminated/);
    expect(await path.leftovers()).toMatchObject(CLEAN);
    await strike('pg_terminate_backend', 'pg_sleep(30)');
  });

  it.each([
    ['a read', sleep],
    ['a transaction', sleepInside],
  ])('whose statement is cancelled under %s says that it took too long, and is used again', async (_, run) => {
    const scope = house.open().as(memberScene(one));
    const [outcome] = await Promise.all([failureOf(run(scope)), strike('pg_cancel_backend', 'pg_sleep(30)')]);
    expect(outcome).toBe('TIMED_OUT, retryable');
    expect(await titlesIn(scope)).toEqual(titlesOf(one));
  });

  it('gives up a statement after the time that is set for it', async () => {
    const scope = house.open({ statementTimeout: 500 }).as(memberScene(one));
    expect(await failureOf(sleep(scope))).toBe('TIMED_OUT, retryable');
    expect(await failureOf(sleepInside(scope))).toBe('TIMED_OUT, retryable');
    expect(await titlesIn(scope)).toEqual(titlesOf(one));
  });

  it('that cannot be had is a failure that may be tried again', async () => {
    const nowhere = openDatabase({
      url: Object.assign(new URL(house.gatewayUrl), { port: '1' }).href,
      max: 1,
      min: 0,
      statementTimeout: 5000,
      idleInTransactionTimeout: 1000,
    });
    const scope = nowhere.as(memberScene(one));
    expect(await failureOf(titlesIn(scope))).toBe('UNAVAILABLE, retryable');
    expect(await failureOf(scope.transaction((tx) => tx.paymentLink.count()))).toBe('UNAVAILABLE, retryable');
    await nowhere.close();
  });
});

interface Cuttable {
  readonly connection: { readonly stream: { destroy(): void } };
}
