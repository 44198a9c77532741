import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { memberScene, seedTenants, type Tenant } from '../support/tenants.ts';
import { type DatabaseHouse, openDatabaseHouse, titlesIn, titlesOf } from './databaseHouse.ts';
import { failureOf } from './dataPath.ts';

let house: DatabaseHouse;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  house = await openDatabaseHouse();
  [one, other] = house.world.tenants as [Tenant, Tenant];
});
afterEach(() => house.closeOpened());
afterAll(() => house.close());

describe('a scope', () => {
  it('reads the rows of its own tenant and no others', async () => {
    const database = house.open();
    expect(await titlesIn(database.as(memberScene(one)))).toEqual(titlesOf(one));
    expect(await titlesIn(database.as(memberScene(other)))).toEqual(titlesOf(other));
    const foreign = { organizationId: other.organizationId };
    expect(await database.as(memberScene(one)).db.paymentLink.count({ where: foreign })).toBe(0);
    expect(await database.as({ kind: 'public', requestId: 'r' }).db.paymentLink.count()).toBe(0);
  });

  it('writes into its own tenant and not into another', async () => {
    const database = house.open();
    const write = (tenant: Tenant, title: string) =>
      database.as(memberScene(one)).transaction((tx) =>
        tx.paymentLink.createMany({
          data: {
            organizationId: tenant.organizationId,
            slug: `slug-${newId()}`,
            title,
            createdById: tenant.people.OWNER.userId,
          },
        }),
      );
    expect(await failureOf(write(one, 'own'))).toEqual({ answer: { count: 1 } });
    expect(await failureOf(write(other, 'foreign'))).toBe('FORBIDDEN');
    expect((await house.admin("select title from payment_links where title in ('own', 'foreign')")).rows).toEqual([
      { title: 'own' },
    ]);
    await house.admin("delete from payment_links where title = 'own'");
  });

  it('lends models that read, and none that write outside a transaction', () => {
    const { db } = house.open().as(memberScene(one));
    const link = db.paymentLink as unknown as Record<string, unknown>;
    expect(link.findMany).toBeTypeOf('function');
    for (const verb of ['create', 'createMany', 'update', 'updateMany', 'upsert', 'delete', 'deleteMany']) {
      expect([verb, link[verb]]).toEqual([verb, undefined]);
    }
    for (const power of ['$executeRaw', '$executeRawUnsafe', '$queryRawUnsafe', '$transaction', '$extends']) {
      const lent = (db as unknown as Record<string, Record<string, unknown> | undefined>)[power];
      expect([power, typeof lent === 'function']).toEqual([power, false]);
    }
  });

  it.each([
    ['that never was', 'UNAUTHENTICATED', (scene: object) => ({ ...scene, sessionId: newId() })],
    [
      'in an organization of others',
      'MEMBERSHIP_ENDED',
      (scene: object) => ({ ...scene, organizationId: other.organizationId }),
    ],
    [
      'in an organization that never was',
      'MEMBERSHIP_ENDED',
      (scene: object) => ({ ...scene, organizationId: newId() }),
    ],
  ])('is refused to a session %s', async (_, code, change) => {
    const scope = house.open().as(change(memberScene(one)) as ReturnType<typeof memberScene>);
    expect(await failureOf(titlesIn(scope))).toBe(code);
    expect(await failureOf(scope.transaction((tx) => tx.paymentLink.count()))).toBe(code);
  });

  it.each([
    ['UNAUTHENTICATED', 'ended', 'update sessions set ended_at = now() where id = $1', 'sessionId'],
    [
      'UNAUTHENTICATED',
      'expired',
      "update sessions set expires_at = now() - interval '1 s' where id = $1",
      'sessionId',
    ],
    ['UNAUTHENTICATED', 'of a disabled user', "update users set status = 'DISABLED' where id = $1", 'userId'],
    ['UNAUTHENTICATED', 'of a deleted user', 'update users set deleted_at = now() where id = $1', 'userId'],
    [
      'MEMBERSHIP_ENDED',
      'of somebody removed',
      "update memberships set status = 'REMOVED' where user_id = $1",
      'userId',
    ],
    [
      'MEMBERSHIP_ENDED',
      'of a deleted organization',
      'update organizations set deleted_at = now() where id = $1',
      'organizationId',
    ],
    [
      'ORGANIZATION_SUSPENDED',
      'of a suspended organization',
      "update organizations set status = 'SUSPENDED' where id = $1",
      'organizationId',
    ],
  ] as const)('answers %s from the next statement on, to a session %s', async (code, _, change, subject) => {
    const { tenants } = await seedTenants(house.adminUrl, { tenants: 1, world: house.world });
    const [tenant] = tenants as [Tenant];
    const scope = house.open().as(memberScene(tenant, 'MEMBER'));
    expect(await titlesIn(scope)).toEqual(titlesOf(tenant));
    await house.admin(change, [{ ...tenant.people.MEMBER, organizationId: tenant.organizationId }[subject]]);
    expect(await failureOf(titlesIn(scope))).toBe(code);
  });

  it('may be closed although nothing was ever asked of it but whether it answers', async () => {
    const database = house.open();
    await database.ping();
    await database.close();
    expect(await failureOf(database.ping())).toBeInstanceOf(Error);
  });
});
