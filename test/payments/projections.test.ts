import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { type Comparison, compareProjection } from '../../src/events/commands/compareProjection.ts';
import { PAYMENT_PROJECTIONS } from '../../src/payments/model/projections.ts';
import { rowId } from '../identity/visitor.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';

/** What the command compares, by the role that it takes; of one organization. */
async function compare({ adminUrl }: Pick<TestDatabase, 'adminUrl'>, organizationId: string): Promise<Comparison> {
  return withSession(adminUrl, async (client) => {
    await client.query('set role tollhouse_auditor');
    await client.query('set default_transaction_read_only = on');
    const read = async <Row>({ text, values }: { text: string; values: unknown[] }): Promise<Row[]> =>
      (await client.query(text, values)).rows as Row[];
    const projection = PAYMENT_PROJECTIONS.find(({ table }) => table === 'payment_orders');
    if (!projection) throw new Error('There is no projection.');
    return compareProjection({ read }, { projection, organizationId, most: 2 });
  });
}

/** What `npm run events:verify` says of a database. */
function verify(
  { ownerUrl, gatewayUrl }: Pick<TestDatabase, 'ownerUrl' | 'gatewayUrl'>,
  given: readonly string[] = [],
  url: string | null = ownerUrl,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const { DATABASE_OWNER_URL: _, DATABASE_URL: __, ...environment } = process.env;
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/payments/command.ts', 'verify', ...given], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...environment, ...(url !== null && { DATABASE_OWNER_URL: url, DATABASE_URL: gatewayUrl }) },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)));
    child.on('close', (code) => resolve({ code, said }));
  });
}

describe('orders that were paid, taken back, overpaid and forgotten', () => {
  let market: Market;
  beforeAll(async () => {
    market = await openMarket();
  });
  afterAll(() => market.close());

  // Whoever keeps a transaction open anywhere in the cluster holds the readers of the log back.
  it('are what the log says of them, and the first one that is not is named and stays to be mended', {
    timeout: 400_000,
  }, async () => {
    const { slug } = await makeLink(market);
    await market.watch();
    const [payer, another, third] = [await newPayer(market), await newPayer(market), await newPayer(market)];
    const orders = [];
    for (const { address } of [payer, another, third]) orders.push(await makeOrder(market, { slug, payer: address }));
    const [paid, partial, surplus] = orders as [(typeof orders)[0], (typeof orders)[0], (typeof orders)[0]];
    const { node } = market.chain;
    const snapshot = await node.snapshot();
    await payer.pay(paid);
    await another.pay(partial, { units: 5_000_000n });
    await market.mine(2);
    await market.watch();
    // the chain takes both back, and brings one of them again
    await node.revert({ id: snapshot });
    await payer.pay(paid);
    await third.pay(surplus, { units: 20_000_000n });
    await market.mine(5);
    await market.watch();
    await market.watch();
    expect(await stateOf(market, surplus)).toMatchObject({ exceptions: ['OVERPAID'] });
    const check = () => compare(market.house.database, rowId(market.merchant.organizationId));
    const sound = await check();
    expect(sound).toEqual({ rows: 3, shownHash: sound.toldHash, toldHash: sound.shownHash, differences: [] });

    const { id } = await stateOf(market, partial);
    const deliveries = () =>
      market.sql<{ error: string | null; attempts: number; done: boolean }>(
        `select d.error, d.attempts, coalesce(d.processed_at is not null, false) as done
         from events e
         left join event_deliveries d
           on d.organization_id = e.organization_id and d.event_id = e.id and d.subscriber = 'projections'
         where e.aggregate_id = $1
         order by e.aggregate_version`,
        id,
      );
    // what the worker has not compared yet it would find wrong as well, and never be done with
    await vi.waitFor(async () => expect((await deliveries()).every(({ done }) => done)).toBe(true), {
      timeout: 150_000,
    });
    await market.sql('update payment_orders set credited_units = credited_units + 1 where id = $1', id);
    const wrong = await check();
    expect(wrong.toldHash).toBe(sound.toldHash);
    expect(wrong.shownHash).not.toBe(sound.shownHash);
    expect(wrong.differences.map((difference) => difference.id)).toEqual([id]);

    // the worker, which follows the log, finds it with the next fact of the order, and keeps finding it until it is mended
    await market.sql(
      `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
       select organization_id, 'payment-order.exception-noted', aggregate_type, aggregate_id, max(aggregate_version) + 1,
         'worker', '{}', '{}'
       from events where aggregate_id = $1 group by 1, 3, 4`,
      id,
    );
    await vi.waitFor(
      async () =>
        expect((await deliveries()).at(-1)).toMatchObject({ done: false, error: expect.stringContaining(id) }),
      { timeout: 150_000 },
    );
    await market.sql('update payment_orders set credited_units = credited_units - 1 where id = $1', id);
    await market.sql(`update event_deliveries set due_at = now() where processed_at is null`);
    await vi.waitFor(async () => expect((await deliveries()).at(-1)).toMatchObject({ done: true, error: null }), {
      timeout: 150_000,
    });
    expect(await check()).toEqual(sound);
  });
});

describe('npm run events:verify', () => {
  let database: TestDatabase;
  let tenants: readonly Tenant[];
  beforeAll(async () => {
    database = await freshDatabase();
    ({ tenants } = await seedTenants(database.adminUrl, { tenants: 2 }));
    // what was seeded past the law was told nobody
    await sql(`
      insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
      select organization_id, 'payment-order.credited', 'payment-order', id, 7, 'worker',
        jsonb_build_object('to', status, 'creditedUnits', credited_units::text, 'exceptions', ''), '{}'::jsonb
      from payment_orders
      union all
      select organization_id, 'payment-link.updated', 'payment-link', id, 7, 'worker', jsonb_build_object('status', status), '{}'::jsonb
      from payment_links`);
  });
  afterAll(() => database.drop());

  const sql = (text: string, values: unknown[] = []) =>
    withSession(database.adminUrl, async (client) => (await client.query(text, values)).rows);

  it('says each organization’s rows and their hash, or those of one alone, and names the first row that differs', async () => {
    const all = await verify(database);
    expect(all.code).toBe(0);
    expect(all.said.split('\n').filter(Boolean)).toHaveLength(2 * PAYMENT_PROJECTIONS.length);
    const { organizationId, marker, orders } = tenants[0] as Tenant;
    await sql('update payment_orders set credited_units = credited_units + 1 where organization_id = $1', [
      organizationId,
    ]);
    const [first] = orders.map(({ id }) => id).sort();
    const one = await verify(database, ['--organization', marker]);
    expect(one.code).toBe(1);
    const lines = one.said.split('\n');
    const wrong = lines.findIndex((line) => line.includes('and the log makes'));
    expect(lines[wrong]).toMatch(
      new RegExp(
        `^${organizationId} \\(${marker}\\)  payment_orders  3 rows  [0-9a-f]{64}, and the log makes [0-9a-f]{64}$`,
      ),
    );
    expect(lines[wrong + 1]).toContain(`  ${first} is {`);
    expect(lines.filter((line) => line.includes('and the log makes'))).toHaveLength(1);
    expect((await verify(database, ['--organization', (tenants[1] as Tenant).organizationId])).code).toBe(0);
    await sql('update payment_orders set credited_units = credited_units - 1 where organization_id = $1', [
      organizationId,
    ]);
  });

  it.each<[string, string, string, string]>([
    ['a state', 'status', `status = 'EXPIRED'`, 'EXPIRED'],
    ['what is unusual', 'exceptions', `exceptions = '{LATE,DUPLICATE}'`, 'DUPLICATE LATE'],
  ])('finds rows that say another thing than the log, by %s', async (_, column, change, shown) => {
    const { organizationId, orders } = tenants[1] as Tenant;
    const ids = orders.map(({ id }) => id).sort();
    const before = await sql('select * from payment_orders where organization_id = $1', [organizationId]);
    await sql(`update payment_orders set ${change} where organization_id = $1`, [organizationId]);
    const { differences, rows } = await compare(database, organizationId);
    expect(rows).toBe(3);
    expect(differences.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    for (const { shown: says, told } of differences) {
      expect(says?.[column]).toBe(shown);
      expect({ ...says, [column]: null }).toEqual({ ...told, [column]: null });
    }
    expect((await compare(database, (tenants[0] as Tenant).organizationId)).differences).toEqual([]);
    for (const row of before) {
      await sql('update payment_orders set status = $3, exceptions = $4 where organization_id = $1 and id = $2', [
        organizationId,
        row.id,
        row.status,
        row.exceptions,
      ]);
    }
    expect((await compare(database, organizationId)).differences).toEqual([]);
  });

  it('finds what was told of no row, and lets what older facts do not tell be as it is', async () => {
    const { organizationId, orders } = tenants[1] as Tenant;
    const tellOf = (id: string, version: number, data: object) =>
      sql(
        `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
         values ($1, 'payment-order.paid', 'payment-order', $2, $3, 'worker', $4, '{}')`,
        [organizationId, id, version, data],
      );
    const [first] = orders;
    await sql(`delete from event_deliveries where organization_id = $1`, [organizationId]);
    await sql(`delete from events where organization_id = $1 and aggregate_id = $2`, [organizationId, first?.id]);
    const [row] = await sql('select status from payment_orders where organization_id = $1 and id = $2', [
      organizationId,
      first?.id,
    ]);
    await tellOf(first?.id ?? '', 2, { to: row?.status });
    expect((await compare(database, organizationId)).differences).toEqual([]);
    const nowhere = '00000000-0000-7000-8000-000000000001';
    await tellOf(nowhere, 1, {});
    expect((await compare(database, organizationId)).differences).toEqual([
      {
        id: nowhere,
        shown: null,
        told: { status: 'CREATED', exceptions: '', creditedUnits: '0' },
      },
    ]);
  });

  it.each([
    ['an organization that nobody is', ['--organization', 'nobody'], 'There is no such organization.'],
    ['what it does not know', ['--all'], 'Say: npm run events:verify'],
  ])('refuses %s', async (_, given, said) => {
    expect(await verify(database, given)).toMatchObject({ code: 1, said: expect.stringContaining(said) });
  });

  it('says that it needs the owner’s URL', async () => {
    expect(await verify(database, [], null)).toMatchObject({
      code: 1,
      said: expect.stringContaining('DATABASE_OWNER_URL'),
    });
  });
});
