import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../src/database/packet.ts';
import { enter } from '../../src/database/scene.ts';
import type { Scope } from '../../src/database/scope.ts';
import { newId } from '../../src/kernel/ids.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse } from './databaseHouse.ts';
import { CLEAN, failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one] = house.world.tenants as [Tenant, Tenant];
});
afterEach(() => house.closeOpened());
afterAll(() => house.close());

describe('a transaction', () => {
  const trips: (readonly Statement[])[] = [];
  const counting = (): Scope => {
    trips.length = 0;
    return house.open({ onPacket: (statements) => void trips.push(statements) }).as(memberScene(one));
  };
  const text = ({ text }: Statement): string =>
    text === enter(memberScene(one)).text ? 'enter' : (text.split(' ')[0] ?? '');

  it('begins, enters and says its first statement in one round trip', async () => {
    const count = await counting().transaction(async (tx) => {
      await tx.$queryRaw`select 1`;
      return tx.paymentLink.count();
    });
    expect(count).toBe(3);
    expect(trips.map((packet) => packet.map(text))).toEqual([['begin', 'enter', 'select'], ['SELECT'], ['COMMIT']]);
  });

  it('costs nothing when nothing is said in it', async () => {
    expect(await counting().transaction(async () => 'quiet')).toBe('quiet');
    expect(trips).toEqual([]);
  });

  it('undoes everything when its callback throws', async () => {
    const scope = counting();
    const thrown = await scope
      .transaction(async (tx) => {
        await note(tx, 'renamed');
        throw new Error('changed my mind');
      })
      .catch((error: Error) => error.message);
    expect(thrown).toBe('changed my mind');
    expect(trips.at(-1)?.map(text)).toEqual(['ROLLBACK']);
    expect(await events(scope)).toEqual([]);
  });

  it('cannot be committed after an error that its callback swallowed', async () => {
    for (const mistake of ['select 1/0', 'selec 1', 'select * from rate_limits']) {
      const scope = counting();
      const outcome = await failureOf(
        scope.transaction(async (tx) => {
          await note(tx, 'swallowed');
          await tx.$queryRawUnsafe(mistake).catch(() => {});
        }),
      );
      expect(outcome).toBeInstanceOf(Error);
      expect(String(outcome)).toMatch('had failed before it was committed');
      expect(await events(scope)).toEqual([]);
    }
  });

  it('cannot go on after an error in its first statement that its callback swallowed', async () => {
    const path = house.openPath();
    for (const mistake of ['select 1/0', 'selec 1']) {
      const outcome = path.as(memberScene(one), () =>
        path.client.$transaction(async (tx) => {
          await tx.$queryRawUnsafe(mistake).catch(() => {});
          await tx.$queryRawUnsafe("select set_config('app.user_id', 'left behind', false)").catch(() => {});
        }),
      );
      await expect(outcome).rejects.toThrow('had failed before it was committed');
      expect(await path.leftovers()).toMatchObject(CLEAN);
    }
  });

  it('is what its isolation level says, from its first statement on', async () => {
    const path = house.openPath();
    for (const isolationLevel of ['ReadCommitted', 'RepeatableRead', 'Serializable'] as const) {
      path.packets.length = 0;
      const level = await path.as(memberScene(one), () =>
        path.client.$transaction((tx) => tx.$queryRaw`select current_setting('transaction_isolation') as level`, {
          isolationLevel,
        }),
      );
      expect(level).toEqual([{ level: isolationLevel.replace(/(?<=[a-z])(?=[A-Z])/, ' ').toLowerCase() }]);
      expect(path.packets.map((packet) => packet.length)).toEqual([4, 1]);
    }
  });

  it('conflicts with another one in a way that may be tried again', async () => {
    const path = house.openPath({ max: 2 });
    const database = house.open();
    const end = (scope: Scope) =>
      scope.transaction(async (tx) => {
        await tx.$executeRaw`set local lock_timeout = '50ms'`;
        await tx.$queryRaw`select from sessions for update`;
      });
    await path.as(memberScene(one), () =>
      path.client.$transaction(async (tx) => {
        await tx.$queryRaw`select from sessions for update`;
        expect(await failureOf(end(database.as(memberScene(one))))).toBe('CONFLICT, retryable');
      }),
    );
    expect(await failureOf(end(database.as(memberScene(one))))).toEqual({ answer: undefined });
  });

  it('is given up when its callback takes too long, and leaves the connection clean', async () => {
    const path = house.openPath();
    const before = await path.leftovers();
    const late = path.as(memberScene(one), () =>
      path.client.$transaction(
        async (tx) => {
          await note(tx, 'late');
          await setTimeout(400);
          await note(tx, 'later');
        },
        { timeout: 100 },
      ),
    );
    await expect(late).rejects.toMatchObject({ code: 'P2028' });
    expect(await path.leftovers()).toEqual(before);
    expect(await events(house.open().as(memberScene(one)))).toEqual([]);
  });

  it('that comes back open closes its connection instead of lending it on', async () => {
    const path = house.openPath();
    const before = await path.leftovers();
    const types = { getTypeParser: () => String };
    await path.as(memberScene(one), async () => {
      const lent = await path.pool.connect();
      await lent.query({ text: 'BEGIN', types });
      await lent.query({ text: 'select 1', types });
      lent.release();
    });
    const after = await path.leftovers();
    expect(after).toMatchObject(CLEAN);
    expect(after.pid).not.toBe(before.pid);
  });

  it('that a statement opened by itself closes its connection too', async () => {
    const path = house.openPath();
    await path.send(memberScene(one), 'begin');
    expect(await path.leftovers()).toMatchObject(CLEAN);
  });
});

type Tx = Parameters<Parameters<Scope['transaction']>[0]>[0];

/** Something that can be seen afterwards: an event with this tag. */
function note(tx: Tx, word: string): Promise<unknown> {
  return tx.event.createMany({
    data: {
      organizationId: one.organizationId,
      type: 'payment-link.created',
      aggregateType: 'payment-link',
      aggregateId: newId(),
      aggregateVersion: 1,
      actor: `user:${one.people.OWNER.userId}`,
      tags: [word],
      data: {},
      metadata: {},
    },
  });
}

async function events(scope: Scope): Promise<string[]> {
  const rows = await scope.db.event.findMany({ where: { tags: { isEmpty: false } } });
  return rows.flatMap(({ tags }) => tags);
}
