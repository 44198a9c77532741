import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { sweepIdempotencyKeys } from '../../src/idempotency/jobs.ts';
import { hashKey, hashRequest } from '../../src/idempotency/model.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant, type TenantRole, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let tollhouse: TestTollhouse;
let world: World;
let one: Tenant;
let other: Tenant;

beforeAll(async () => {
  tollhouse = await startTollhouse();
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  [one, other] = world.tenants as [Tenant, Tenant];
});
afterAll(() => tollhouse.stop());

const newKey = (): string => randomUUID();

async function tokenOf(tenant: Tenant, role: TenantRole = 'OWNER'): Promise<string> {
  const { organizationId, people } = tenant;
  return (await tollhouse.resources.tokens.issue({ ...people[role], organizationId })).token;
}

const MAKE = `mutation ($title: String!, $amount: Decimal!, $asset: String!, $payTo: Address!, $key: String) {
  createPaymentLink(input: {
    title: $title, accepts: [{ asset: $asset, amount: $amount, payTo: $payTo }], idempotencyKey: $key
  }) { paymentLink { id title slug } replayed }
}`;

interface Made {
  readonly createPaymentLink: {
    readonly paymentLink: { readonly id: string; readonly title: string; readonly slug: string };
    readonly replayed: boolean;
  };
}

interface Outcome {
  readonly code?: string;
  readonly retryable?: boolean;
  readonly id?: string;
  readonly replayed?: boolean;
}

async function make(
  given: { key?: string; header?: string; title?: string; amount?: string; tenant?: Tenant; role?: TenantRole } = {},
): Promise<Outcome> {
  const { tenant = one, role = 'OWNER', title = 'Tea', amount = '1', key, header } = given;
  const { data, errors } = await tollhouse.ask<Made>(
    MAKE,
    { title, amount, key, asset: world.coin.caip19, payTo: tenant.people[role].address },
    { token: await tokenOf(tenant, role), headers: header ? { 'idempotency-key': header } : {} },
  );
  const [error] = errors;
  if (error) return { code: error.extensions.code, retryable: error.extensions.retryable };
  const { paymentLink, replayed = false } = data?.createPaymentLink ?? {};
  return { ...paymentLink, replayed };
}

async function admin<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  return withSession(tollhouse.database.adminUrl, async (client) => (await client.query(text, values)).rows as Row[]);
}

const countOf = async (title: string): Promise<number> =>
  (await admin<{ count: number }>('select count(*)::int as count from payment_links where title = $1', [title]))[0]
    ?.count ?? -1;

describe('a deed with a key', () => {
  it.each(['key', 'header'] as const)('is done once, and answered again as it was, by %s', async (where) => {
    const given = { [where]: newKey(), title: `Once by ${where}` };
    const first = await make(given);
    expect(first).toMatchObject({ title: given.title, replayed: false });
    expect(await make(given)).toEqual({ ...first, replayed: true });
    expect(await make(given)).toEqual({ ...first, replayed: true });
    expect(await countOf(given.title)).toBe(1);
    expect(await admin('select from events where data ->> $$title$$ = $1', [given.title])).toHaveLength(1);
  });

  it('is refused when its variables are others', async () => {
    const key = newKey();
    await make({ key, title: 'Same' });
    expect(await make({ key, title: 'Same', amount: '2' })).toEqual({
      code: 'IDEMPOTENCY_KEY_REUSED',
      retryable: false,
    });
    expect(await make({ key, title: 'Other' })).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED', retryable: false });
    expect(await countOf('Other')).toBe(0);
  });

  it('is another one for another person, another organization and another place in the answer', async () => {
    const key = newKey();
    const header = newKey();
    const made = [
      await make({ key }),
      await make({ key, role: 'ADMIN' }),
      await make({ key, tenant: other }),
      await make({ header: key }),
    ];
    expect(made.map(({ replayed }) => replayed)).toEqual([false, false, false, false]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(4);

    const two = (): ReturnType<TestTollhouse['ask']> =>
      tokenOf(one).then((token) =>
        tollhouse.ask(
          `mutation ($asset: String!, $payTo: Address!) {
            a: createPaymentLink(input: { title: "Two", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }] }) { replayed }
            b: createPaymentLink(input: { title: "Two", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }] }) { replayed }
          }`,
          { asset: world.coin.caip19, payTo: one.people.OWNER.address },
          { token, headers: { 'idempotency-key': header } },
        ),
      );
    expect((await two()).data).toEqual({ a: { replayed: false }, b: { replayed: false } });
    expect((await two()).data).toEqual({ a: { replayed: true }, b: { replayed: true } });
    expect(await countOf('Two')).toBe(2);
  });

  it('that fails does not hide another one of its request', async () => {
    const { data, errors } = await tollhouse.ask(
      `mutation ($asset: String!, $payTo: Address!) {
        a: createPaymentLink(input: { title: "Shown", accepts: [{ asset: $asset, amount: "1", payTo: $payTo }] }) { replayed }
        b: createPaymentLink(input: { title: "Not", accepts: [{ asset: $asset, amount: "0", payTo: $payTo }] }) { replayed }
      }`,
      { asset: world.coin.caip19, payTo: one.people.OWNER.address },
      { token: await tokenOf(one) },
    );
    expect(data).toEqual({ a: { replayed: false }, b: null });
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([[['b'], 'AMOUNT_INVALID']]);
  });

  it('is done when it failed before, since only what was done is remembered', async () => {
    const key = newKey();
    expect(await make({ key, title: 'Retried', amount: '0' })).toMatchObject({ code: 'AMOUNT_INVALID' });
    expect(await make({ key, title: 'Retried', role: 'MEMBER' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await make({ key, title: 'Retried' })).toMatchObject({ replayed: false });
  });

  it('is done once by many at one instant, and each is answered with it', { timeout: 600_000 }, async () => {
    const keys = Array.from({ length: FULL ? 500 : 25 }, newKey);
    for (const key of keys) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => make({ key, title: `Raced ${key}` })));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter(({ replayed }) => replayed === false)).toHaveLength(1);
    }
    expect(await admin('select from payment_links where title like $1', ['Raced %'])).toHaveLength(keys.length);
  });

  it('waits for the first one, and says so when that takes too long', async () => {
    const key = newKey();
    const holder = new pg.Client({ connectionString: tollhouse.database.adminUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query(
      `insert into idempotency_keys (organization_id, principal, operation, key_hash, request_hash, result_id, expires_at)
       values ($1, $2, 'createPaymentLink', $3, $4, uuid_v7(), now() + interval '1 day')`,
      [one.organizationId, `user:${one.people.OWNER.userId}`, hashKey(key, ''), hashRequest({})],
    );
    expect(await make({ key, title: 'Waited' })).toEqual({ code: 'IDEMPOTENCY_IN_PROGRESS', retryable: true });
    await holder.end();
    expect(await make({ key, title: 'Waited' })).toMatchObject({ replayed: false });
  });

  it.each(['', 'short', 'with a space in it', 'x'.repeat(129), 'ünîcödé-keys-are-not'])(
    'has a key that can be one: not "%s"',
    async (key) => {
      expect(await make({ key, title: 'Badly keyed' })).toMatchObject({ code: 'BAD_USER_INPUT' });
      expect(await countOf('Badly keyed')).toBe(0);
    },
  );

  it('says so when what it made has been deleted since', async () => {
    const key = newKey();
    await make({ key, title: 'Deleted since' });
    await admin("update payment_links set deleted_at = now() where title = 'Deleted since'");
    expect(await make({ key, title: 'Deleted since' })).toEqual({ code: 'IDEMPOTENCY_RESULT_GONE', retryable: false });
  });

  it('leaves neither its key nor its variables in the database', async () => {
    const key = newKey();
    await make({ key, title: 'Discreet' });
    const rows = await admin<{ row: string }>('select t::text as row from idempotency_keys t');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => row.includes(key) || row.includes('Discreet'))).toEqual([]);
  });

  it('is forgotten when its time is over', async () => {
    const kept = newKey();
    const gone = newKey();
    await make({ key: kept, title: 'Kept' });
    await make({ key: gone, title: 'Gone' });
    await admin(
      `update idempotency_keys set created_at = now() - interval '31 days', expires_at = now() - interval '1 day'
       where key_hash = $1`,
      [hashKey(gone, '')],
    );
    await sweepIdempotencyKeys({ ...tollhouse.resources, requestId: 'sweep' });
    expect(await make({ key: gone, title: 'Gone' })).toMatchObject({ replayed: false });
    expect(await make({ key: kept, title: 'Kept' })).toMatchObject({ replayed: true });
  });
});

describe('an order with a key', () => {
  const ORDER = `mutation ($slug: String!, $payer: Address, $key: String) {
    createPaymentOrder(input: { slug: $slug, payer: $payer, idempotencyKey: $key }) {
      checkoutOrder { token status paymentRequest { data } } replayed
    }
  }`;
  const order = async (key: string, given: { slug?: string | undefined; payer?: string } = {}) => {
    const { slug = one.links[0]?.slug, payer = one.people.MEMBER.address } = given;
    const { data, errors } = await tollhouse.ask<{
      createPaymentOrder: { checkoutOrder: { token: string; paymentRequest: { data: string } }; replayed: boolean };
    }>(ORDER, { slug, payer, key });
    return errors[0]?.extensions.code ?? data?.createPaymentOrder;
  };

  it('is made once for each link, and found by each token that was answered', async () => {
    const key = newKey();
    const before = await admin('select from payment_orders');
    const answers = await Promise.all(Array.from({ length: 10 }, () => order(key)));
    const made = answers.filter((answer) => typeof answer === 'object');
    expect(made).toHaveLength(10);
    expect(made.filter(({ replayed }) => !replayed)).toHaveLength(1);
    // the reference is the order's own
    expect(new Set(made.map(({ checkoutOrder }) => checkoutOrder.paymentRequest.data)).size).toBe(1);
    expect(new Set(made.map(({ checkoutOrder }) => checkoutOrder.token)).size).toBe(10);
    expect(await order(key, { slug: one.links[1]?.slug })).toMatchObject({ replayed: false });
    expect(await order(key, { slug: other.links[0]?.slug })).toMatchObject({ replayed: false });
    expect(await order(key, { payer: one.people.ADMIN.address })).toBe('IDEMPOTENCY_KEY_REUSED');
    expect((await admin('select from payment_orders')).length - before.length).toBe(3);
  });

  it('is answered again when its link was closed since, and not made when it never was', async () => {
    const key = newKey();
    const slug = one.links[2]?.slug;
    expect(await order(key, { slug })).toMatchObject({ replayed: false });
    await admin("update payment_links set status = 'PAUSED' where slug = $1", [slug]);
    expect(await order(key, { slug })).toMatchObject({ replayed: true });
    expect(await order(newKey(), { slug })).toBe('LINK_INACTIVE');
    await admin("update payment_links set status = 'ACTIVE' where slug = $1", [slug]);
  });
});
