import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../src/database/packet.ts';
import { enter } from '../../src/database/scene.ts';
import type { Deed, Scope, Transaction } from '../../src/database/scope.ts';
import { newId } from '../../src/kernel/ids.ts';
import { memberScene, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesIn } from './databaseHouse.ts';
import { CLEAN, failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one, other] = house.world.tenants as [Tenant, Tenant];
});
afterEach(() => house.closeOpened());
afterAll(() => house.close());

const trips: (readonly Statement[])[] = [];
const counting = (tenant = one): Scope => {
  trips.length = 0;
  return house.open({ onPacket: (statements) => void trips.push(statements) }).as(memberScene(tenant));
};
const text = ({ text }: Statement): string =>
  text === enter(memberScene(one)).text
    ? 'enter'
    : (text
        .replace(/^\s*\/\*.*?\*\//, '')
        .trim()
        .split(/\s/)[0]
        ?.toLowerCase() ?? '');
const tripTexts = (): string[][] => trips.map((packet) => packet.map(text));

/** A link of the tenant's own. */
function link(tx: Transaction, title: string, id = newId(), tenant = one): Deed {
  return tx.paymentLink.createMany({
    data: {
      organizationId: tenant.organizationId,
      id,
      slug: `slug-${id}`,
      title,
      createdById: tenant.people.OWNER.userId,
    },
  });
}

describe('what is written together', () => {
  it('travels in one packet, in its order, and each is answered', async () => {
    const id = newId();
    const answers = await counting().write((tx) => [
      link(tx, 'Together', id),
      tx.$queryRaw`select count(*)::int as links from payment_links where title = 'Together'`,
      tx.paymentLink.findUniqueOrThrow({
        where: { organizationId_id: { organizationId: one.organizationId, id } },
        select: { title: true, creator: { select: { user: { select: { displayName: true } } } } },
      }),
      tx.paymentLink.count({ where: { title: 'Together' } }),
    ]);
    expect(answers).toEqual([
      { count: 1 },
      [{ links: 1 }],
      { title: 'Together', creator: { user: { displayName: `${one.marker} OWNER` } } },
      1,
    ]);
    expect(tripTexts()).toEqual([['enter', 'insert', 'select', 'select', 'select']]);
  });

  it('is in the order of its plan, whatever each needs to be ready', async () => {
    const rename = (tx: Transaction, title: string): Deed =>
      tx.$queryRaw`select set_config('app.request_id', current_setting('app.request_id') || ${title}::text, true)`;
    const [, , , , seen] = await counting().write((tx) => [
      rename(tx, 'a'),
      tx.user.findUnique({ where: { id: one.people.OWNER.userId }, select: { id: true } }),
      rename(tx, 'b'),
      tx.paymentLink.findMany({ select: { id: true } }),
      tx.$queryRaw<{ path: string }[]>`select current_setting('app.request_id') as path`,
    ]);
    expect(seen).toEqual([{ path: expect.stringMatching(/ab$/) }]);
  });

  it('reads what Prisma prepares by Prisma’s own rules, whatever stands in front of it', async () => {
    const scope = counting();
    const raw = (tx: Transaction) => tx.$queryRaw<{ at: Date; json: unknown }[]>`
      select timestamptz '2026-01-02T03:04:05Z' as at, jsonb '{"a": 1}' as json`;
    const [, mixed] = await scope.write((tx) => [tx.paymentLink.findMany({ select: { id: true } }), raw(tx)]);
    const [alone] = await scope.write((tx) => [raw(tx)]);
    expect(mixed).toEqual([{ at: new Date('2026-01-02T03:04:05Z'), json: { a: 1 } }]);
    expect(alone).toEqual(mixed);
  });

  it('may read one thing twice, and both are answered', async () => {
    const { userId } = one.people.OWNER;
    const find = (tx: Transaction) => tx.user.findUnique({ where: { id: userId }, select: { id: true } });
    expect(await counting().write((tx) => [find(tx), find(tx)])).toEqual([{ id: userId }, { id: userId }]);
    expect(trips).toHaveLength(1);
  });

  it('may be nothing, or have nothing to say', async () => {
    expect(await counting().write(() => [])).toEqual([]);
    expect(trips).toEqual([]);
    expect(await counting().write((tx) => [tx.paymentLink.createMany({ data: [] }), tx.paymentLink.count()])).toEqual([
      { count: 0 },
      expect.any(Number),
    ]);
  });

  it.each<[string, (tx: Transaction) => Deed]>([
    ['the server refuses', (tx) => tx.$executeRaw`select 1/0`],
    ['is no SQL', (tx) => tx.$executeRawUnsafe('selec 1')],
    ['the law forbids', (tx) => tx.$executeRaw`select from rate_limits`],
    ['belongs to another tenant', (tx) => link(tx, 'Foreign', newId(), other)],
    ['Prisma refuses before it is said', (tx) => tx.paymentLink.findMany({ where: { nothing: 1 } } as never)],
    [
      'needs several statements',
      (tx) => tx.user.update({ where: { id: newId() }, data: { memberships: { create: [] } } } as never),
    ],
  ])('is undone as a whole when one of it %s, wherever it stands', async (_, mistake) => {
    for (const place of [0, 1, 2]) {
      const scope = counting();
      const plan = (tx: Transaction): Deed[] =>
        [link(tx, 'Undone'), link(tx, 'Undone')].toSpliced(place, 0, mistake(tx));
      await expect(scope.write(plan)).rejects.toThrow();
      expect(trips.length).toBeLessThan(2);
      expect(await titlesIn(scope)).not.toContain('Undone');
    }
  });

  it('is not done in part when one of it is called off and another comes late', async () => {
    const scope = counting();
    const early = (): Deed => Promise.reject(new Error('early')) as never;
    await expect(scope.write((tx) => [early(), link(tx, 'Late')])).rejects.toThrow('early');
    await setTimeout(50);
    expect(await titlesIn(scope)).not.toContain('Late');
  });

  it('leaves nothing on the connection, whether it was written or undone', async () => {
    const path = house.openPath();
    const scope = house.open().as(memberScene(one));
    await scope.write((tx) => [link(tx, 'Left'), tx.paymentLink.count()]);
    await expect(scope.write((tx) => [link(tx, 'Left'), tx.$executeRaw`select 1/0`])).rejects.toThrow();
    expect(await path.leftovers()).toMatchObject(CLEAN);
  });

  it('is each tenant’s own, when many write in one tick over few connections', async () => {
    const database = house.open();
    const write = (tenant: Tenant, round: number) =>
      database
        .as(memberScene(tenant))
        .write((tx) => [
          link(tx, `${tenant.marker} ${round}`, newId(), tenant),
          tx.organization.findUnique({ where: { id: tenant.organizationId }, select: { name: true } }),
          tx.paymentLink.findMany({ select: { title: true } }),
        ]);
    const rounds = Array.from({ length: 40 }, (_, round) => (round % 2 ? one : other));
    const answers = await Promise.all(rounds.map(write));
    for (const [round, [, organization, links]] of answers.entries()) {
      const { marker } = rounds[round] as Tenant;
      expect(organization).toEqual({ name: marker });
      const foreign = links.filter(({ title }) => title.startsWith('tenant-') && !title.startsWith(marker));
      expect(foreign).toEqual([]);
    }
  });

  it('is not what Prisma’s own transactions can take part in', async () => {
    const path = house.openPath();
    const scene = { ...memberScene(one), place: { take: () => null } };
    await expect(path.as(scene, () => path.client.$transaction(async () => {}))).rejects.toThrow('no transaction');
  });

  it('says that it is unknown whether it happened when its connection dies under it', async () => {
    const scope = house.open().as(memberScene(one));
    const kill = async (): Promise<void> => {
      const { rowCount } = await house.admin(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'active' and query like '%pg_sleep(20)%' and pid <> pg_backend_pid()`,
      );
      if (rowCount) return;
      await setTimeout(10);
      await kill();
    };
    const write = scope.write((tx) => [link(tx, 'Unknown'), tx.$executeRaw`select pg_sleep(20)`]);
    const [outcome] = await Promise.all([failureOf(write), kill()]);
    expect(outcome).toBe('OUTCOME_UNKNOWN');
    expect(await titlesIn(scope)).not.toContain('Unknown');
  });
});
