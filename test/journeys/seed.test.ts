import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ShowcaseSizes, seedShowcase } from '../../src/showcase.ts';
import { sql } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { run } from './gateways.ts';

const SIZES: ShowcaseSizes = { organizations: 3, links: 4, orders: 6 };

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true, settings: { LIMIT_OPEN_ORDERS_PER_CLIENT: '1' } });
});
afterAll(() => house.stop());

/** Seeds while blocks come, as they do each second on the local chain. */
async function seed(sizes: ShowcaseSizes): Promise<void> {
  let over = false;
  const seeding = seedShowcase(house.resources, { chain: house.chain?.setting ?? null, sizes }).finally(() => {
    over = true;
  });
  while (!over) {
    await house.chain?.node.mine({ blocks: 1 });
    await setTimeout(300);
  }
  await seeding;
}

/** What there is, whatever becomes of orders meanwhile. */
async function countsOf(): Promise<Record<string, unknown> | undefined> {
  const [row] = await sql(
    house,
    `select
       (select count(*)::int from organizations) as organizations, (select count(*)::int from users) as users,
       (select count(*)::int from memberships) as memberships, (select count(*)::int from payment_links) as links,
       (select count(*)::int from payment_orders) as orders,
       (select count(*)::int from organization_domains) as domains, (select count(*)::int from api_keys) as keys,
       (select count(*)::int from events where actor <> 'worker') as told`,
  );
  return row;
}

describe('the seed', () => {
  it('makes what a newcomer can look at, through the same commands as everybody', async () => {
    await seed(SIZES);
    const orders = await sql(
      house,
      `select distinct o.status::text as status, o.exceptions::text as exceptions
       from payment_orders o join payment_links l on l.organization_id = o.organization_id and l.id = o.payment_link_id
       where l.order_lifetime_minutes > 1`,
    );
    const states = orders.map(({ status, exceptions }) => `${status} ${exceptions}`);
    expect(states).toEqual(expect.arrayContaining(['CREATED {}', 'DETECTED {}', 'PAID {}', 'PAID {OVERPAID}']));
    expect(await countsOf()).toMatchObject({ organizations: 3, users: 9, domains: 2, keys: 2, links: 17, orders: 20 });
    const special = await sql(
      house,
      `select title, status::text as status, pricing::text as pricing, exhausted from payment_links
       where title in ('Summer menu', 'Winter blend', 'Support the roastery', 'Office box', 'The last bag') order by title`,
    );
    expect(special.map((link) => Object.values(link).join(' '))).toEqual([
      'Office box ACTIVE LINE_ITEMS false',
      'Summer menu DRAFT FIXED false',
      'Support the roastery ACTIVE OPEN false',
      'The last bag ACTIVE FIXED true',
      'Winter blend PAUSED FIXED false',
    ]);
    const refunds = await sql(house, 'select status::text as status, units::text as units from payment_refunds');
    expect(refunds).toEqual([{ status: 'PENDING', units: '2000000' }]);
    const recorded = await sql(house, `select reference from provider_transactions where provider = 'manual'`);
    expect(recorded).toHaveLength(1);
    const people = await sql(
      house,
      `select o.slug, m.role::text as role, count(*)::int as members
       from memberships m join organizations o on o.id = m.organization_id
       where o.slug in ('aurora-coffee', 'borealis-books') group by 1, 2 order by 1, 2`,
    );
    expect(people.map(({ slug, role, members }) => `${slug} ${role} ${members}`)).toEqual([
      'aurora-coffee ADMIN 2',
      'aurora-coffee MEMBER 2',
      'aurora-coffee OWNER 1',
      'borealis-books MEMBER 2',
      'borealis-books OWNER 2',
    ]);
    const custom = await sql(
      house,
      `select u.display_name as name, r.name as role
       from memberships m
       join users u on u.id = m.user_id
       join roles r on r.organization_id = m.organization_id and r.id = m.role_id`,
    );
    expect(custom).toEqual([{ name: 'Grace', role: 'Bookkeeper' }]);
    const audited = await sql(house, `select from audit_entries where role = 'tollhouse_member' limit 1`);
    expect(audited).toHaveLength(1);
  });

  it('twice is the same', async () => {
    const before = await countsOf();
    await seed(SIZES);
    expect(await countsOf()).toEqual(before);
  });

  it('is refused in production, and of sizes that are none', async () => {
    const settings = {
      NODE_ENV: 'production',
      DATABASE_URL: house.database.gatewayUrl,
      PUBLIC_URL: 'https://toll.example',
      SIGN_IN_ORIGINS: 'https://toll.example',
      TOKEN_KEYS: JSON.stringify(house.supplies.tokenKeys),
      CHAINS: JSON.stringify([{ ...house.chain?.setting, finality: 'CONFIRMATIONS(2)' }]),
    };
    const refused = run('src/seed.ts', tmpdir(), [], settings);
    expect(await refused.ended).toEqual({ code: 1, signal: null });
    expect(refused.complained()).toContain('production is not seeded');
    const odd = run('src/seed.ts', tmpdir(), ['--orders', 'many'], settings);
    expect(await odd.ended).toEqual({ code: 1, signal: null });
    expect(odd.complained()).toContain('npm run db:seed');
  });

  it('grows to what is asked for', async () => {
    const before = await countsOf();
    const sizes = { organizations: 3, links: 5, orders: 6 };
    await seed(sizes);
    expect(await countsOf()).toMatchObject({ links: Number(before?.links) + 1 });
  });
});
