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
       (select count(*)::int from organization_domains) as domains,
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
    expect(await countsOf()).toMatchObject({ organizations: 3, users: 9, domains: 2, links: 12, orders: 19 });
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
      CHAINS: JSON.stringify([house.chain?.setting]),
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
