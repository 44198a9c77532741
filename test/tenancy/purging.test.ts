import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerContext } from '../../src/context.ts';
import { purgeOrganizations } from '../../src/tenancy/jobs.ts';
import { mutate } from '../identity/linker.ts';
import { join } from '../identity/merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { linkTo, orderOf, remove, restore } from './leavers.ts';

const DOMAINS = 25;
const INVITATIONS = 9;
const ROLES = 3;
const ROUNDS = FULL ? 40 : 4;

let house: TestTollhouse;
let worker: WorkerContext;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
  worker = { database: house.resources.database, log: pino({ level: 'silent' }), requestId: 'test-worker' };
});
afterAll(() => house.stop());

const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;

function purge(batch?: number): Promise<void> {
  return purgeOrganizations(worker, { retentionDays: 30, ...(batch && { batch }) });
}

async function age(organizationId: string, days: number): Promise<void> {
  await sql(house, `update organizations set deleted_at = now() - make_interval(days => $2) where id = $1`, [
    rowId(organizationId),
    days,
  ]);
}

/** An organization with something of everything, which was deleted so many days ago. */
async function deletedFor(days: number): Promise<{ readonly id: string; readonly again: SignedIn }> {
  const wallet = newWallet();
  const [owner, admin] = [await enterHouse(house, wallet), await enterHouse(house)];
  const id = rowId(homeOf(owner));
  await join(house, admin, homeOf(owner), 'ADMIN');
  const link = await linkTo(house, owner, wallet.address);
  await orderOf(house, link, newWallet().address);
  await sql(house, `update payment_orders set status = 'EXPIRED' where organization_id = $1`, [id]);
  await sql(house, `update memberships set job_title = 'Boss', department = 'All' where organization_id = $1`, [id]);
  const words = {
    name: 'Secret Club',
    description: 'x',
    contactEmail: 'a@b.example',
    address: 'y',
    metadata: { a: 1 },
  };
  const changed = await mutate(house, owner.accessToken, 'updateOrganization', words, 'replayed');
  if (changed.code !== 'OK') throw new Error(changed.code);
  await sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token)
     select $1, 'CUSTOM', 'd' || n || '.' || $2 || '.com', repeat('a', 32) from generate_series(1, $3::int) n`,
    [id, `x${id.replaceAll('-', '')}`, DOMAINS],
  );
  await sql(
    house,
    `insert into api_keys (organization_id, kind, name, prefix, secret_hash, scopes, created_by_id, responsible_id)
     select $1, 'SERVICE', 'Key', substr(md5(random()::text), 1, 16), sha256('x'), '{payments:read}', $2, $2
     from generate_series(1, 3)`,
    [id, rowId(owner.viewer.user.id)],
  );
  await sql(
    house,
    `insert into roles (organization_id, name, permissions)
     select $1, 'Role ' || n, '{payments:read}' from generate_series(1, $2::int) n`,
    [id, ROLES],
  );
  await sql(
    house,
    `update memberships set role = 'MEMBER', role_id = (select id from roles r where r.organization_id = $1 limit 1)
     where organization_id = $1 and role = 'ADMIN'`,
    [id],
  );
  // to wallets, and every third by mail, to a role
  await sql(
    house,
    `insert into invitations (organization_id, role, role_id, email, token_hash, address, invited_by_id, expires_at)
     select $1, 'MEMBER', r.id, case when by_mail then 'guest@example.org' end,
       case when by_mail then sha256(uuid_send(gen_random_uuid())) end,
       case when not by_mail then '0x' || repeat('7', 40) end, $2, now() + interval '7 days'
     from (select n, n % 3 = 0 as by_mail from generate_series(1, $3::int) n) as each
     left join lateral (
       select id from roles r where r.organization_id = $1 and by_mail order by id desc limit 1
     ) r on true`,
    [id, rowId(owner.viewer.user.id), INVITATIONS],
  );
  const gone = await remove(house, owner);
  if (gone.code !== 'OK') throw new Error(gone.code);
  await age(homeOf(owner), days);
  return { id, again: await enterHouse(house, wallet) };
}

/** Begins after so many round trips to the database. */
async function laterBy(trips: number, run: () => Promise<void>): Promise<void> {
  for (let trip = 0; trip < trips; trip += 1) await house.resources.database.ping();
  return run();
}

/** How many rows of each kind the organization has. */
async function rowsOf(id: string): Promise<Record<string, unknown> | undefined> {
  const count = (table: string, where = 'true'): string =>
    `(select count(*)::int from ${table} where organization_id = $1 and ${where})`;
  const [row] = await sql(
    house,
    `select ${count('organization_settings')} as settings, ${count('store_configurations')} as stores,
       ${count('organization_domains')} as domains, ${count('api_keys')} as keys, ${count('api_key_uses')} as uses,
       ${count('handles', `kind = 'api-key'`)} as "keyHandles",
       ${count('invitations')} as invitations, ${count('handles', `kind = 'invitation'`)} as "invitationHandles",
       ${count('roles')} as roles, ${count('memberships', 'role_id is not null')} as "rolesHeld",
       ${count('memberships')} as memberships, ${count('memberships', 'job_title is not null')} as titles,
       ${count('payment_links')} as links, ${count('payment_orders')} as orders,
       ${count('events', `type = 'organization.purged' and actor = 'worker'`)} as purged,
       ${count('events', `type like 'payment%'`)} as told, ${count('audit_entries')} > 20 as audited`,
    [id],
  );
  return row;
}

const KEPT = { memberships: 2, links: 1, orders: 1, told: 2, audited: true };
const PURGED = {
  ...KEPT,
  settings: 0,
  stores: 0,
  domains: 0,
  keys: 0,
  uses: 0,
  keyHandles: 0,
  invitations: 0,
  invitationHandles: 0,
  roles: 0,
  rolesHeld: 0,
  titles: 0,
  purged: 1,
};
const WHOLE = {
  ...KEPT,
  settings: 1,
  stores: 1,
  domains: DOMAINS,
  keys: 3,
  uses: 3,
  keyHandles: 3,
  invitations: INVITATIONS,
  invitationHandles: INVITATIONS / 3,
  roles: ROLES,
  rolesHeld: 1,
  titles: 2,
  purged: 0,
};

describe('purging', () => {
  it('takes away what an organization had whose time is over, and keeps payments, events and audit', async () => {
    const { id, again } = await deletedFor(30);
    const recent = await deletedFor(29);
    await purge();
    const [row] = await sql(house, 'select * from organizations where id = $1', [id]);
    expect(row).toMatchObject({
      name: 'Deleted organization',
      slug: `deleted-${id.replaceAll('-', '')}`,
      description: null,
      contact_email: null,
      address: null,
      metadata: null,
      deleted_at: expect.any(Date),
      purge_began_at: expect.any(Date),
      purged_at: expect.any(Date),
    });
    expect(await rowsOf(id)).toEqual(PURGED);
    expect((await restore(house, again, homeOfId(id))).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    expect(await rowsOf(recent.id)).toEqual(WHOLE);
    expect((await restore(house, recent.again, homeOfId(recent.id))).code).toBe('OK');
  });

  it('twice is purging once', async () => {
    const { id } = await deletedFor(31);
    await purge();
    const before = await sql(house, 'select purged_at, updated_at from organizations where id = $1', [id]);
    await purge();
    expect(await sql(house, 'select purged_at, updated_at from organizations where id = $1', [id])).toEqual(before);
    expect(await rowsOf(id)).toEqual(PURGED);
  });

  /** Takes so many rows at most away, and answers how many it was. */
  async function step(batch: number): Promise<number> {
    const scope = house.resources.database.as({ kind: 'worker', requestId: 'test-worker' });
    const [[row]] = await scope.write((tx) => [
      tx.$queryRaw<{ taken: number }[]>`
        /* step */ select taken from purge_organization(30, ${batch}::integer, '{}', '{}')`,
    ]);
    return row?.taken ?? 0;
  }

  it('goes on in small batches where it was broken off; what has begun cannot be restored', async () => {
    const { id, again } = await deletedFor(31);
    expect(await step(4)).toBe(4);
    expect(await rowsOf(id)).toMatchObject({ settings: 1, domains: DOMAINS - 3, purged: 0 });
    await age(homeOfId(id), 1);
    expect((await restore(house, again, homeOfId(id))).code).toBe('DELETED_ORGANIZATION_UNKNOWN');
    await age(homeOfId(id), 31);
    await purge(4);
    expect(await rowsOf(id)).toEqual(PURGED);
  });

  it('takes no more at once than it is told to, of invitations and roles neither', async () => {
    const { id } = await deletedFor(31);
    const left = async (): Promise<number> => {
      const { domains, keys, invitations, roles, titles } = (await rowsOf(id)) as Record<string, number>;
      return Number(domains) + Number(keys) + Number(invitations) + Number(roles) + Number(titles);
    };
    for (let before = await left(); before > 0; ) {
      expect(await step(4)).toBeLessThanOrEqual(4);
      const after = await left();
      expect(before - after).toBeGreaterThan(0);
      expect(before - after).toBeLessThanOrEqual(4);
      before = after;
    }
    await purge(4);
    expect(await rowsOf(id)).toEqual(PURGED);
  });

  it('by two workers at once is done once for each organization', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1) ids.push((await deletedFor(31)).id);
    await Promise.all([purge(3), purge(3), purge(5)]);
    for (const id of ids) expect(await rowsOf(id)).toEqual(PURGED);
  });

  it('or restoring is done of two at one instant, and never a part of either', async () => {
    const outcomes: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, again } = await deletedFor(29);
      // within its time for whoever restores, and past it for a worker that has another setting
      const [back] = await Promise.all([
        restore(house, again, homeOfId(id)),
        laterBy(round, () => purgeOrganizations(worker, { retentionDays: 28, batch: 5 })),
      ]);
      // who found it held by the other leaves it for the next round
      await purgeOrganizations(worker, { retentionDays: 28 });
      expect(await rowsOf(id)).toEqual(back.code === 'OK' ? WHOLE : PURGED);
      outcomes.push(back.code);
    }
    console.info(`restoring while purging: ${outcomes.join(' ')}`);
  });

  it('of one that fails is logged, keeps no other from it, and is done the next time', async () => {
    const [bad, good] = [await deletedFor(33), await deletedFor(32)];
    await sql(house, `create function fail() returns trigger language plpgsql as 'begin raise ''no way''; end'`);
    await sql(
      house,
      `create trigger fail before delete on organization_domains
       for each row when (old.organization_id = '${bad.id}') execute function fail()`,
    );
    const logged: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
    await purgeOrganizations({ ...worker, log }, { retentionDays: 30 });
    expect(await rowsOf(good.id)).toEqual(PURGED);
    expect(await rowsOf(bad.id)).toEqual(WHOLE);
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ organizationId: bad.id, fault: 'P0001 no way' }),
    ]);
    await sql(house, 'drop trigger fail on organization_domains');
    await purge();
    expect(await rowsOf(bad.id)).toEqual(PURGED);
  });

  it('takes nothing that was deleted today, whatever the worker says', async () => {
    const { id } = await deletedFor(0);
    for (const retentionDays of [0, -30]) await purgeOrganizations(worker, { retentionDays });
    expect(await rowsOf(id)).toEqual(WHOLE);
  });

  it('leaves an organization alone that is not deleted', async () => {
    const owner = await enterHouse(house);
    await purgeOrganizations(worker, { retentionDays: 1 });
    expect(await rowsOf(rowId(homeOf(owner)))).toMatchObject({ settings: 1, stores: 1, purged: 0 });
  });
});

function homeOfId(id: string): string {
  return Buffer.from(`Organization:${id}`).toString('base64url');
}
