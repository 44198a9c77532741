import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { PAYMENT_PROJECTIONS } from '../../src/payments/model/projections.ts';
import { rowId } from '../identity/visitor.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Person } from '../support/person.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';
import { refunding } from './refunding.ts';

const TABLES = PAYMENT_PROJECTIONS.map(({ table }) => table);

let market: Market;
/** A shop with an order that is paid, of a limited link, with a refund of it; with a link that is deleted, and money besides. */
let shop: Person;
let organizationId: string;
let slug: string;
let order: string;
let refund: string;
let link: string;
let gone: string;
/** Another organization, which has an order that is paid as well. */
let neighbor: string;

const { sell, addressed, settle } = refunding(() => market);

beforeAll(async () => {
  market = await openMarket();
  ({ shop } = await sell());
  neighbor = rowId((await sell()).shop.organizationId);
  organizationId = rowId(shop.organizationId);
  [slug = ''] = (
    await market.sql<{ slug: string }>('select slug from organizations where id = $1', organizationId)
  ).map((row) => row.slug);
  const payer = await newPayer(market);
  const limited = await makeLink(market, { by: shop });
  await change('updatePaymentLink', { paymentLinkId: limited.id, maxUses: 5 });
  await market.watch();
  const begun = await makeOrder(market, { slug: limited.slug, payer: payer.address });
  await payer.pay(begun, { units: 15_000_000n });
  await settle();
  await settle();
  order = (await stateOf(market, begun)).id;
  link = rowId(limited.id);
  refund = rowId((await addressed(shop, globalOrder(), '2', payer.address)).id);
  await payer.transfer(shop.account.address, 3_000_000n);
  await settle();
  const deleted = await makeLink(market, { by: shop });
  await change('deletePaymentLink', { paymentLinkId: deleted.id });
  gone = rowId(deleted.id);
}, 240_000);
afterAll(() => market.close());

const globalOrder = (): string => Buffer.from(`PaymentOrder:${order}`).toString('base64url');

async function change(field: string, input: object): Promise<void> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const { errors } = await market.house.ask(
    `mutation ($input: ${type}!) { ${field}(input: $input) { replayed } }`,
    { input },
    { token: shop.accessToken },
  );
  expect(errors).toEqual([]);
}

/** Writes past all triggers, as a superuser whose hand slipped. */
async function slip(...statements: readonly string[]): Promise<void> {
  await market.sql('set session_replication_role = replica');
  for (const statement of statements) await market.sql(statement);
  await market.sql('set session_replication_role = origin');
}

/** Starts `npm run events:rebuild`, or `verify`. */
function start(
  given: readonly string[],
  { ownerUrl, gatewayUrl }: Pick<TestDatabase, 'ownerUrl' | 'gatewayUrl'> = market.house.database,
  deed = 'rebuild',
): { child: ChildProcess; ended: Promise<{ code: number | null; lines: string[] }> } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/payments/command.ts', deed, ...given], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATABASE_OWNER_URL: ownerUrl, DATABASE_URL: gatewayUrl },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += String(data)));
  const ended = new Promise<{ code: number | null; lines: string[] }>((resolve) => {
    child.on('close', (code) => resolve({ code, lines: said.split('\n').filter(Boolean) }));
  });
  return { child, ended };
}

const rebuild = (...given: readonly string[]) => start(given).ended;
const verify = () => start(['--organization', organizationId], market.house.database, 'verify').ended;

/** Whose tables are bound, by what, and which triggers are on. */
const lawOf = () =>
  market.sql(
    `select c.relname, c.relrowsecurity, c.relforcerowsecurity, t.tgname, t.tgenabled
     from pg_class c join pg_trigger t on t.tgrelid = c.oid
     where c.relname = any ($1) order by 1, 4`,
    TABLES,
  );

/** A row as it is; when it was touched, and what of a way to pay is counted for a limit alone, do not matter. */
const rowsOf = (organization: string, table: string) =>
  market.sql(
    `select to_jsonb(t) - 'updated_at' - 'total_units' as row from ${table} t where organization_id = $1 order by id`,
    organization,
  );

const allOf = async (organization: string) => {
  const rows = [];
  for (const table of [...TABLES, 'payment_link_accepts', 'provider_transactions']) {
    rows.push([table, await rowsOf(organization, table)]);
  }
  return rows;
};

const factsOf = () => market.sql(`select count(*)::integer as facts from events`);

const entriesOf = () =>
  market.sql<{ table_name: string; row_id: string; organization_id: string; role: string }>(
    `select distinct table_name, row_id, organization_id, role from audit_entries where request_id ~ '^events-rebuild-'`,
  );

describe('npm run events:rebuild', () => {
  it('has nothing to write where tables say what the log says, and waits for nobody', async () => {
    const before = await allOf(organizationId);
    const others = new pg.Client({ connectionString: market.house.database.adminUrl });
    await others.connect();
    try {
      await others.query('begin');
      await others.query(`lock table ${TABLES.join(', ')} in row exclusive mode`);
      const { code, lines } = await rebuild();
      expect(code).toBe(0);
      expect(lines.filter((line) => !/ {2}\d+ rows {2}[0-9a-f]{64}$/.test(line))).toEqual([]);
      expect(lines.length).toBeGreaterThanOrEqual(2 * TABLES.length);
    } finally {
      await others.end();
    }
    expect(await allOf(organizationId)).toEqual(before);
    expect(await entriesOf()).toEqual([]);
  });

  it('writes what the log says, with all that hangs on it, tells nothing, and is on record', async () => {
    const before = await allOf(organizationId);
    const others = await allOf(neighbor);
    const [law, facts] = [await lawOf(), await factsOf()];
    await slip(
      `update payment_orders
       set status = 'EXPIRED', credited_units = 10::numeric ^ 60, exceptions = '{LATE,DUPLICATE}', refund = 'NONE'
       where id = '${order}'`,
      `update payment_links set uses = 0 where id = '${link}'`,
      `update payment_links set status = 'ARCHIVED' where organization_id = '${organizationId}' and id <> '${gone}'`,
      `update payment_links set deleted_at = null where id = '${gone}'`,
      `update payment_refunds set status = 'CANCELED', units = units + 7 where id = '${refund}'`,
      `update unmatched_payments set status = 'IGNORED' where organization_id = '${organizationId}'`,
    );
    expect(before).toEqual(
      expect.arrayContaining([
        [
          'payment_orders',
          expect.arrayContaining([
            { row: expect.objectContaining({ id: order, exceptions: ['OVERPAID'], refund: 'PENDING' }) },
          ]),
        ],
      ]),
    );
    expect((await verify()).code).toBe(1);
    const { code, lines } = await rebuild('--organization', slug);
    expect([code, lines.filter((line) => line.includes('left as it is'))]).toEqual([0, []]);
    for (const table of TABLES) {
      const [first, second] = lines.filter((line) => line.startsWith(`${organizationId} (${slug})  ${table}  `));
      expect(first).toMatch(/[0-9a-f]{64}, and the log makes ([0-9a-f]{64})$/);
      expect(second?.slice(-64)).toBe(first?.slice(-64));
    }
    expect((await verify()).code).toBe(0);
    const deletedAt = (rows: unknown) => JSON.stringify(rows).match(/"deleted_at":"[^"]+"/g) ?? [];
    const after = await allOf(organizationId);
    expect(deletedAt(after)).toHaveLength(1);
    const known = (rows: unknown) =>
      JSON.parse(JSON.stringify(rows).replace(/"deleted_at":"[^"]+"/g, '"deleted_at":""'));
    expect(known(after)).toEqual(known(before));
    expect([await allOf(neighbor), await lawOf(), await factsOf()]).toEqual([others, law, facts]);

    const entries = await entriesOf();
    expect(entries.map(({ table_name }) => table_name)).toEqual(expect.arrayContaining(TABLES));
    expect(new Set(entries.map((entry) => entry.organization_id))).toEqual(new Set([organizationId]));
    expect(entries).toContainEqual({
      table_name: 'payment_orders',
      row_id: order,
      organization_id: organizationId,
      role: 'none',
    });
  });

  it('makes the deliveries right on their next try that a wrong row had kept open', { timeout: 400_000 }, async () => {
    const open = () =>
      market.sql<{ attempts: number; error: string | null; done: boolean }>(
        `select d.attempts, d.error, d.processed_at is not null as done
         from event_deliveries d join events e on e.organization_id = d.organization_id and e.id = d.event_id
         where e.aggregate_id = $1 and d.subscriber = 'projections' order by e.aggregate_version desc limit 1`,
        order,
      );
    await slip(`update payment_orders set credited_units = credited_units + 1 where id = '${order}'`);
    await market.sql(
      `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
       select organization_id, 'payment-order.exception-noted', aggregate_type, aggregate_id, max(aggregate_version) + 1,
         'worker', '{}', '{}'
       from events where aggregate_id = $1 group by 1, 3, 4`,
      order,
    );
    await vi.waitFor(async () => expect((await open())[0]?.error).toContain(order), { timeout: 150_000 });
    expect((await rebuild('--organization', organizationId)).code).toBe(0);
    await market.sql('update event_deliveries set due_at = now() where processed_at is null');
    await vi.waitFor(async () => expect(await open()).toMatchObject([{ done: true, error: null }]), {
      timeout: 150_000,
    });
  });

  it('waits for whoever works with a table, and loses nothing that they write', async () => {
    await slip(`update payment_orders set credited_units = credited_units + 1 where id = '${order}'`);
    const others = new pg.Client({ connectionString: market.house.database.adminUrl });
    await others.connect();
    await others.query('begin');
    await others.query('update payment_orders set updated_at = now() where id = $1', [order]);
    const { ended } = start(['--organization', organizationId]);
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 60_000, interval: 20 });
    await others.query('commit');
    await others.end();
    expect((await ended).code).toBe(0);
    expect((await verify()).code).toBe(0);
  });

  /** Whoever waits for a table to be theirs alone. */
  const waiting = () =>
    market.sql(
      `select from pg_locks where mode = 'AccessExclusiveLock' and not granted and relation = 'payment_orders'::regclass`,
    );
  /** Whoever has it. */
  const holding = () =>
    market.sql(
      `select from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'payment_orders'::regclass`,
    );

  it('leaves nothing when it is killed in the middle', async () => {
    await slip(`update payment_orders set credited_units = credited_units + 1 where id = '${order}'`);
    const before = await allOf(organizationId);
    const law = await lawOf();
    const others = new pg.Client({ connectionString: market.house.database.adminUrl });
    await others.connect();
    // a payer who is about to use the link up
    await others.query(`select pg_advisory_lock(hashtextextended('uses of ${link}', 0))`);
    const { child, ended } = start(['--organization', organizationId]);
    await vi.waitFor(async () => expect(await holding()).toHaveLength(1), { timeout: 60_000, interval: 5 });
    child.kill('SIGKILL');
    await ended;
    await vi.waitFor(async () => expect(await holding()).toEqual([]), { timeout: 60_000 });
    expect([await allOf(organizationId), await lawOf()]).toEqual([before, law]);
    await others.end();
    expect((await rebuild('--organization', organizationId)).code).toBe(0);
  });

  it.each([
    ['fails', `raise exception 'nobody writes now'`, 'nobody writes now'],
    [
      'tells a fact',
      `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
       values (new.organization_id, 'payment-order.paid', 'payment-order', new.id, 900, 'worker', '{}', '{}'); return new`,
      'A trigger would have told payment-order.paid',
    ],
  ])('writes nothing where something on the way %s', async (_, deed, said) => {
    await slip(`update payment_orders set credited_units = credited_units + 1 where id = '${order}'`);
    const [before, law, facts] = [await allOf(organizationId), await lawOf(), await factsOf()];
    await market.sql(
      `create function stand_in_the_way() returns trigger language plpgsql security definer
       as $$ begin ${deed}; end $$`,
    );
    await market.sql(
      `create trigger a_stranger before update on payment_orders for each row execute function stand_in_the_way()`,
    );
    const { code, lines } = await rebuild('--organization', organizationId);
    await market.sql('drop trigger a_stranger on payment_orders');
    await market.sql('drop function stand_in_the_way()');
    expect([code, lines.at(-1)]).toEqual([1, expect.stringContaining(said)]);
    expect([await allOf(organizationId), await lawOf(), await factsOf()]).toEqual([before, law, facts]);
    expect((await rebuild('--organization', organizationId)).code).toBe(0);
  });

  it('names and leaves what cannot be made from the log, and writes the rest', async () => {
    const [nowhere, untold] = [newId(), newId()];
    const tell = (aggregate: string, id: string, to: string) =>
      market.sql(
        `insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version, actor, data, metadata)
         select $1, $2 || '.noted', $2, $3, coalesce(max(aggregate_version), 0) + 1, 'worker', jsonb_build_object('to', $4::text), '{}'
         from events where aggregate_id = $3`,
        organizationId,
        aggregate,
        id,
        to,
      );
    await tell('payment-order', nowhere, 'PAID');
    await slip(
      `insert into payment_orders
       select (jsonb_populate_record(o, jsonb_build_object('id', '${untold}', 'reference', '\\x00112233445566778899aabbccddeeff'))).*
       from payment_orders o where o.id = '${order}'`,
      `update payment_orders set credited_units = credited_units + 1 where id = '${order}'`,
    );
    // no transaction of it is known
    await tell('payment-refund', refund, 'SENT');
    const { code, lines } = await rebuild('--organization', organizationId);
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes('left as it is')).map((line) => line.trim())).toEqual([
      ...[
        `${nowhere} is left as it is: the table has no such row, and the log does not carry its terms`,
        `${untold} is left as it is: no fact tells of it`,
      ].sort(),
      expect.stringMatching(`^${refund} is left as it is: the table refuses it: .*payment_refunds_status_check`),
    ]);
    expect(lines.filter((line) => line.includes('of them written'))).toHaveLength(1);
    const [row] = await market.sql<{ units: string }>(
      'select credited_units as units from payment_orders where id = $1',
      order,
    );
    expect(row?.units).toBe('15000000');
    expect((await market.sql('select status from payment_refunds where id = $1', refund))[0]).toEqual({
      status: 'PENDING',
    });
  });

  it.each([
    ['an organization that nobody is', ['--organization', 'nobody'], 'There is no such organization.'],
    ['what it does not know', ['--all'], 'npm run events:rebuild'],
  ])('refuses %s', async (_, given, said) => {
    expect(await rebuild(...given)).toEqual({ code: 1, lines: [expect.stringContaining(said)] });
  });

  it('is nobody’s but the owner’s', async () => {
    const { gatewayUrl } = market.house.database;
    const { code, lines } = await start([], { ownerUrl: gatewayUrl, gatewayUrl }).ended;
    expect([code, lines.join()]).toEqual([1, expect.stringContaining('permission denied')]);
  });
});

it('silences every trigger that would tell of what is written or refuse it, and no other', async () => {
  const found = await withSession(market.house.database.adminUrl, async (client) => {
    const { rows } = await client.query<{ table: string; name: string; columns: string[] }>(
      `select t.tgrelid::regclass::text as table, t.tgname::text as name,
         array(select attname::text from pg_attribute where attrelid = t.tgrelid and attnum = any (t.tgattr)) as columns
       from pg_trigger t join pg_proc p on p.oid = t.tgfoid
       where t.tgrelid::regclass::text = any ($1) and not t.tgisinternal and t.tgtype & 16 > 0
         and (
           p.proname in ('tell_of_refund', 'tell_of_unmatched_payment', 'limit_links')
           -- of another table than refunds it tells nothing
           or p.proname = 'keep_order_refund' and t.tgrelid = 'payment_refunds'::regclass
         )`,
      [TABLES],
    );
    return rows;
  });
  for (const { table, columns, silent } of PAYMENT_PROJECTIONS) {
    const written = Object.values(columns).flatMap((column) => Object.keys(column.write('told', 'at')));
    const heard = found.filter(
      (trigger) =>
        trigger.table === table &&
        (trigger.columns.length === 0 || trigger.columns.some((column) => written.includes(column))),
    );
    expect([...silent].sort()).toEqual(heard.map(({ name }) => name).sort());
  }
});
