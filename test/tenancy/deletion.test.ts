import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { makeStale, mutate } from '../identity/linker.ts';
import { join } from '../identity/merger.ts';
import { codeOf, enterHouse, newWallet, refresh, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { linkTo, orderOf, remove, slugOf, switchTo } from './leavers.ts';

const ROUNDS = FULL ? 60 : 6;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;

async function codeFor({ accessToken }: SignedIn): Promise<string> {
  return codeOf(await house.ask('{ organization { name } }', {}, { token: accessToken }));
}

async function eventsOf(organizationId: string): Promise<unknown[]> {
  return sql(
    house,
    `select type, actor, data, aggregate_version as version from events
     where organization_id = $1 and aggregate_type = 'organization' order by aggregate_version`,
    [rowId(organizationId)],
  );
}

/** A verified domain, past the name system. */
async function giveDomain({ viewer }: SignedIn, host: string): Promise<void> {
  await sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token, verified_at, is_primary)
     values ($1, 'CUSTOM', $2, repeat('a', 32), now(), true)`,
    [rowId(viewer.organization.id), host],
  );
}

describe('deleting an organization', () => {
  it('hides it at once from everybody, frees its slug and its domains, and tells of it', async () => {
    const wallet = newWallet();
    const [owner, member, elsewhere] = [
      await enterHouse(house, wallet),
      await enterHouse(house),
      await enterHouse(house),
    ];
    await join(house, member, homeOf(owner), 'ADMIN');
    const working = await switchTo(house, member, homeOf(owner));
    const link = await linkTo(house, owner, wallet.address);
    await giveDomain(owner, 'pay.gone.example.com');
    const slug = await slugOf(house, owner);

    const { code, data } = await remove(house, owner);
    expect({ code, id: data?.organizationId }).toEqual({ code: 'OK', id: homeOf(owner) });

    const [row] = await sql(house, 'select deleted_at, purged_at from organizations where id = $1', [
      rowId(homeOf(owner)),
    ]);
    const deletedAt = row?.deleted_at as Date;
    expect(new Date(data?.restorableUntil ?? '').getTime() - deletedAt.getTime()).toBe(30 * 86_400_000);
    expect(await Promise.all([owner, working, member, elsewhere].map(codeFor))).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
      'OK',
      'OK',
    ]);
    expect((await refresh(house, owner.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    const checkout = await house.ask('query ($slug: String!) { checkout(slug: $slug) { title } }', { slug: link.slug });
    expect(checkout.data).toEqual({ checkout: null });
    expect((await orderOf(house, link, newWallet().address)).code).toBe('LINK_NOT_FOUND');
    const seen = await house.ask(
      'query ($id: ID!) { node(id: $id) { id } viewer { memberships { organization { id } } } }',
      { id: homeOf(owner) },
      { token: member.accessToken },
    );
    expect(seen.data).toEqual({
      node: null,
      viewer: { memberships: [{ organization: { id: homeOf(member) } }] },
    });
    const freed = await house.ask(
      'mutation ($slug: String!) { updateOrganization(input: { slug: $slug }) { organization { slug } } }',
      { slug },
      { token: elsewhere.accessToken },
    );
    expect(codeOf(freed)).toBe('OK');
    await giveDomain(elsewhere, 'pay.gone.example.com');
    expect((await eventsOf(homeOf(owner))).at(-1)).toEqual({
      type: 'organization.deleted',
      actor: `user:${rowId(owner.viewer.user.id)}`,
      data: { slug },
      version: 2,
    });
    const audited = await sql(
      house,
      `select table_name, verb, user_id from audit_entries
       where organization_id = $1 and after ->> 'deleted_at' is not null`,
      [rowId(homeOf(owner))],
    );
    expect(audited).toEqual([{ table_name: 'organizations', verb: 'UPDATE', user_id: rowId(owner.viewer.user.id) }]);
  });

  it('revokes its keys', async () => {
    const owner = await enterHouse(house);
    await sql(
      house,
      `insert into api_keys (
         organization_id, kind, name, prefix, secret_hash, scopes, created_by_id, responsible_id
       )
       values ($1, 'SERVICE', 'Key', substr(md5(random()::text), 1, 16), sha256('x'), '{payments:read}', $2, $2)`,
      [rowId(homeOf(owner)), rowId(owner.viewer.user.id)],
    );
    expect((await remove(house, owner)).code).toBe('OK');
    const keys = await sql(house, 'select revoked_at is not null as revoked from api_keys where organization_id = $1', [
      rowId(homeOf(owner)),
    ]);
    expect(keys).toEqual([{ revoked: true }]);
  });

  it('leaves sessions alone that were switched from it and work elsewhere', async () => {
    const [person, host] = [await enterHouse(house), await enterHouse(house)];
    await join(house, person, homeOf(host), 'MEMBER');
    const beside = await switchTo(house, person, homeOf(host));
    expect((await remove(house, person)).code).toBe('OK');
    expect([await codeFor(person), await codeFor(beside)]).toEqual(['MEMBERSHIP_ENDED', 'OK']);
  });

  it('is refused without the organization’s own slug', async () => {
    const [owner, other] = [await enterHouse(house), await enterHouse(house)];
    expect((await remove(house, owner, await slugOf(house, other))).code).toBe('BAD_USER_INPUT');
    expect((await remove(house, owner, 'x')).code).toBe('BAD_USER_INPUT');
    expect(await codeFor(owner)).toBe('OK');
  });

  it('is refused to whoever does not own it, and to nobody', async () => {
    const [owner, admin] = [await enterHouse(house), await enterHouse(house)];
    await join(house, admin, homeOf(owner), 'ADMIN');
    const working = await switchTo(house, admin, homeOf(owner));
    expect((await remove(house, working)).code).toBe('FORBIDDEN');
    expect((await remove(house, { ...owner, accessToken: '' }, 'x')).code).toBe('UNAUTHENTICATED');
    expect(await codeFor(owner)).toBe('OK');
  });

  it('asks for a fresh proof', async () => {
    const owner = await enterHouse(house);
    await makeStale(house, owner);
    expect((await remove(house, owner)).code).toBe('STEP_UP_REQUIRED');
    expect(await codeFor(owner)).toBe('OK');
  });

  it('is refused while an order is open, or an expired one holds money, and done afterwards', async () => {
    const wallet = newWallet();
    const owner = await enterHouse(house, wallet);
    await orderOf(house, await linkTo(house, owner, wallet.address), newWallet().address);
    const change = (words: string): Promise<unknown> =>
      sql(house, `update payment_orders set ${words} where organization_id = $1`, [rowId(homeOf(owner))]);
    for (const status of ['CREATED', 'DETECTED', 'CONFIRMING', 'PAID']) {
      await change(`status = '${status}', paid_at = ${status === 'PAID' ? 'now()' : 'null'}`);
      expect([status, (await remove(house, owner)).code]).toEqual([status, 'ORGANIZATION_HAS_OPEN_MONEY']);
    }
    await change(`status = 'EXPIRED', credited_units = 1, paid_at = null`);
    expect((await remove(house, owner)).code).toBe('ORGANIZATION_HAS_OPEN_MONEY');
    await change(`status = 'EXPIRED', credited_units = 0`);
    expect((await remove(house, owner)).code).toBe('OK');
  });

  it('or beginning to pay is done of two at one instant, and never both', async () => {
    const outcomes: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const wallet = newWallet();
      const owner = await enterHouse(house, wallet);
      const link = await linkTo(house, owner, wallet.address);
      const slug = await slugOf(house, owner);
      const [gone, ...orders] = await Promise.all([
        remove(house, owner, slug),
        ...Array.from({ length: 3 }, () => orderOf(house, link, newWallet().address)),
      ]);
      const [state] = await sql(
        house,
        `select o.deleted_at is not null as deleted, count(p.id)::int as orders
         from organizations o left join payment_orders p on p.organization_id = o.id
         where o.id = $1 group by o.id`,
        [rowId(homeOf(owner))],
      );
      const made = orders.filter(({ code }) => code === 'OK').length;
      expect(state).toEqual({ deleted: gone.code === 'OK', orders: made });
      expect(made > 0).toBe(gone.code === 'ORGANIZATION_HAS_OPEN_MONEY');
      const refused = orders.filter(({ code }) => code !== 'OK').map(({ code }) => code);
      expect(refused.filter((code) => code !== 'LINK_NOT_FOUND')).toEqual([]);
      outcomes.push(gone.code);
    }
    console.info(`deleting while paying: ${outcomes.join(' ')}`);
  });

  it('with its only member, or beginning to pay, is done of two at one instant', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const wallet = newWallet();
      const owner = await enterHouse(house, wallet);
      const link = await linkTo(house, owner, wallet.address);
      const { id: userId } = owner.viewer.user;
      const [gone, ...orders] = await Promise.all([
        mutate(house, owner.accessToken, 'deleteUser', { userId }, 'userId'),
        ...Array.from({ length: 3 }, () => orderOf(house, link, newWallet().address)),
      ]);
      expect(['OK', 'ORGANIZATION_HAS_OPEN_MONEY']).toContain(gone.code);
      expect(orders.some(({ code }) => code === 'OK')).toBe(gone.code !== 'OK');
    }
  });

  it('waits for an order that is being made, and is refused then', async () => {
    const wallet = newWallet();
    const owner = await enterHouse(house, wallet);
    const link = await linkTo(house, owner, wallet.address);
    await orderOf(house, link, newWallet().address);
    await sql(house, `update payment_orders set status = 'EXPIRED' where organization_id = $1`, [rowId(homeOf(owner))]);
    const slug = await slugOf(house, owner);
    const { gone } = await whileOrdering(homeOf(owner), () => remove(house, owner, slug));
    expect((await gone).code).toBe('ORGANIZATION_HAS_OPEN_MONEY');
  });
});

/** Copies the organization's order in a transaction that ends only when something else waits for it. */
async function whileOrdering<Result>(
  organizationId: string,
  run: () => Promise<Result>,
): Promise<{ gone: Promise<Result> }> {
  return withSession(house.database.adminUrl, async (client) => {
    await client.query('begin');
    await client.query(
      `insert into payment_orders (
         organization_id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer, reference,
         required_confirmations, head_number, client_hash, expires_at
       )
       select
         organization_id, payment_link_id, incarnation_id, asset_id, matching, due_units, pay_to, payer,
         uuid_send(gen_random_uuid()), required_confirmations, head_number, client_hash, now() + interval '1 hour'
       from payment_orders where organization_id = $1 limit 1`,
      [rowId(organizationId)],
    );
    const gone = run();
    for (let waiting = 0; waiting === 0; ) {
      const [row] = await sql(
        house,
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%deleteOrganization%'`,
      );
      waiting = Number(row?.waiting);
    }
    await client.query('commit');
    return { gone };
  });
}
