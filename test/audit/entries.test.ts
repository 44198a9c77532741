import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { memberScene, seedTenants, type Tenant, type World } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

interface Entry {
  readonly organization_id: string;
  readonly role: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly request_id: string | null;
  readonly table_name: string;
  readonly row_id: string;
  readonly verb: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

let tollhouse: TestTollhouse;
let world: World;
let tenant: Tenant;
let token: string;
let viewer: { sessionId: string; userId: string; organizationId: string };

beforeAll(async () => {
  tollhouse = await startTollhouse();
  world = await seedTenants(tollhouse.database.adminUrl, { tenants: 2 });
  tenant = world.tenants[0] as Tenant;
  const { userId, sessionId } = tenant.people.OWNER;
  viewer = { userId, sessionId, organizationId: tenant.organizationId };
  ({ token } = await tollhouse.resources.tokens.issue(viewer));
});
afterAll(() => tollhouse.stop());

const sql = <Row>(text: string, values: unknown[] = []): Promise<Row[]> => tollhouse.database.sql(text, values);

const entriesOf = (requestId: string): Promise<Entry[]> =>
  sql('select * from audit_entries where request_id = $1 order by created_at, id', [requestId]);

async function createLink(requestId: string, as = token, title = 'Tea'): Promise<unknown> {
  const answer = await tollhouse.ask(
    `mutation ($payTo: Address!, $asset: String!, $title: String!) {
      createPaymentLink(input: { title: $title, accepts: [{ asset: $asset, amount: "1.5", payTo: $payTo }] }) {
        paymentLink { slug }
      }
    }`,
    { payTo: tenant.people.OWNER.address, asset: world.coin.caip19, title },
    { token: as, headers: { 'x-request-id': requestId } },
  );
  return answer.errors[0]?.extensions.code ?? answer.data?.createPaymentLink;
}

describe('an audit entry', () => {
  it('says who made which row, in whose name and in which request', async () => {
    const requestId = newId();
    const made = await createLink(requestId);
    const entries = await entriesOf(requestId);
    expect(entries.map(({ table_name, verb }) => `${verb} ${table_name}`)).toEqual([
      'INSERT payment_links',
      'INSERT payment_link_accepts',
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        organization_id: tenant.organizationId,
        role: 'tollhouse_member',
        user_id: viewer.userId,
        session_id: viewer.sessionId,
        before: null,
      });
      expect(entry.row_id).toBe(entry.after?.id);
    }
    const { slug } = (made as { paymentLink: { slug: string } }).paymentLink;
    expect(entries[0]?.after).toMatchObject({ title: 'Tea', slug, status: 'ACTIVE', created_by_id: viewer.userId });
    expect(entries[1]?.after).toMatchObject({ units: 1_500_000_000_000_000_000, pay_to: tenant.people.OWNER.address });
  });

  it('names nobody where nobody is known, and still the request', async () => {
    const requestId = newId();
    const answer = await tollhouse.ask(
      'mutation ($slug: String!, $payer: Address) { createPaymentOrder(input: { slug: $slug, payer: $payer }) { checkoutOrder { token } } }',
      { slug: tenant.links[0]?.slug, payer: tenant.people.MEMBER.address },
      { headers: { 'x-request-id': requestId } },
    );
    expect(answer.errors).toEqual([]);
    expect(await entriesOf(requestId)).toMatchObject([
      {
        table_name: 'payment_orders',
        verb: 'INSERT',
        role: 'tollhouse_public',
        user_id: null,
        session_id: null,
        before: null,
      },
    ]);
  });

  it('keeps a change from both sides, and a deletion from the one it had', async () => {
    const requestId = newId();
    const id = tenant.orders[0]?.id ?? '';
    const { organizationId } = tenant;
    const scope = tollhouse.resources.database.as({ kind: 'worker', requestId, organizationId });
    await scope.transaction(async (tx) => {
      await tx.$executeRaw`update payment_orders set status = 'EXPIRED' where id = ${id}::uuid`;
    });
    const [changed, ...others] = await entriesOf(requestId);
    expect(others).toEqual([]);
    expect(changed).toMatchObject({
      organization_id: organizationId,
      role: 'tollhouse_worker',
      verb: 'UPDATE',
      row_id: id,
      before: { status: 'CREATED' },
      after: { status: 'EXPIRED' },
    });
    const { status: _, updated_at: before, ...same } = changed?.before ?? {};
    expect(changed?.after).toMatchObject(same);
    expect(new Date(String(changed?.after?.updated_at)).getTime()).toBeGreaterThan(new Date(String(before)).getTime());

    const [credit] = await sql<{ id: string }>(
      'delete from payment_credits where organization_id = $1 and payment_order_id = $2 returning id',
      [organizationId, id],
    );
    const [deleted] = await sql<Entry>("select * from audit_entries where row_id = $1 and verb = 'DELETE'", [
      credit?.id,
    ]);
    expect(deleted).toMatchObject({
      table_name: 'payment_credits',
      role: 'none',
      before: { id: credit?.id },
      after: null,
    });
  });

  it('is written for every one of many rows, and once', async () => {
    const { organizationId } = tenant;
    const requestId = newId();
    const scope = tollhouse.resources.database.as({ kind: 'worker', requestId, organizationId });
    await scope.transaction((tx) => tx.$executeRaw`update payment_credits set reversed_at = now()`);
    const rows = await sql<{ id: string }>('select id from payment_credits where organization_id = $1', [
      organizationId,
    ]);
    // What follows a credit is written down as well: the provider's own record of it.
    const ofCredits = (await entriesOf(requestId)).filter(({ table_name }) => table_name === 'payment_credits');
    expect(ofCredits.map(({ row_id }) => row_id).sort()).toEqual(rows.map(({ id }) => id).sort());
  });

  it('is gone with the deed that is undone, and is not written for a refused one', async () => {
    const undone = newId();
    const scope = tollhouse.resources.database.as({ ...memberScene(tenant), requestId: undone });
    const failed = scope.transaction(async (tx) => {
      await tx.paymentLink.createMany({
        data: { organizationId: tenant.organizationId, slug: newId(), title: 'x', createdById: viewer.userId },
      });
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    expect(await entriesOf(undone)).toEqual([]);

    const refused = newId();
    const member = await tollhouse.resources.tokens.issue({ ...viewer, ...tenant.people.MEMBER });
    expect(await createLink(refused, member.token)).toBe('FORBIDDEN');
    expect(await entriesOf(refused)).toEqual([]);
  });

  it('is read by who may, in its own organization', async () => {
    const count = (role: 'OWNER' | 'ADMIN' | 'MEMBER', of = tenant): Promise<number> =>
      tollhouse.resources.database.as(memberScene(of, role)).db.auditEntry.count();
    const [own] = await sql<{ count: string }>('select count(*) from audit_entries where organization_id = $1', [
      tenant.organizationId,
    ]);
    expect(await count('OWNER')).toBe(Number(own?.count));
    expect(await count('ADMIN')).toBe(Number(own?.count));
    expect(await count('MEMBER')).toBe(0);
    expect(await count('OWNER', world.tenants[1])).toBeLessThan(Number(own?.count));
  });
});

describe('the audit of a sign-up', () => {
  let person: Person;

  beforeAll(async () => {
    person = await signIn(tollhouse);
  });

  it('names the new user from the first row on', async () => {
    const [{ id = '' } = {}] = await sql<{ id: string }>('select user_id as id from identities where address = $1', [
      person.account.address.toLowerCase(),
    ]);
    const entries = await sql<Entry>('select * from audit_entries where user_id = $1 order by created_at, id', [id]);
    expect(entries.map(({ verb, table_name, role }) => `${role} ${verb} ${table_name}`)).toEqual([
      'tollhouse_identity INSERT organizations',
      'tollhouse_identity INSERT organization_settings',
      'tollhouse_identity INSERT store_configurations',
      'tollhouse_identity INSERT memberships',
    ]);
    expect(entries[0]?.row_id).toBe(entries[0]?.organization_id);
    expect(entries.at(-1)?.after).toMatchObject({ user_id: id, role: 'OWNER' });
  });

  it('and of everything else holds no secret', async () => {
    const { data } = await tollhouse.ask<{ createPaymentOrder: { checkoutOrder: { token: string } } }>(
      'mutation ($slug: String!, $payer: Address) { createPaymentOrder(input: { slug: $slug, payer: $payer }) { checkoutOrder { token } } }',
      { slug: tenant.links[1]?.slug, payer: tenant.people.MEMBER.address },
    );
    const orderToken = data?.createPaymentOrder.checkoutOrder.token ?? '';
    const hashes = await sql<{ hash: string }>(`
      select encode(refresh_hash, 'hex') as hash from sessions
      union all select encode(value_hash, 'hex') from handles
      union all select encode(client_hash, 'hex') from payment_orders`);
    const [all] = await sql<{ text: string }>(
      "select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') as text from audit_entries",
    );
    const secrets = [orderToken, person.accessToken, person.refreshToken, ...hashes.map(({ hash }) => hash)];
    expect(orderToken).not.toBe('');
    expect(hashes.length).toBeGreaterThan(10);
    expect(secrets.filter((secret) => all?.text.includes(secret))).toEqual([]);
    const keys = await sql<{ key: string }>(
      'select distinct k as key from audit_entries, jsonb_object_keys(coalesce(after, before)) k',
    );
    expect(
      keys
        .map(({ key }) => key)
        .filter((key) => /hash$|secret|token|nonce|signature|password/.test(key))
        .sort(),
    ).toEqual([
      // the chain's own, which everybody knows
      'block_hash',
      'hash',
      'transaction_hash',
      // to be published in the DNS
      'verification_token',
    ]);
  });
});
