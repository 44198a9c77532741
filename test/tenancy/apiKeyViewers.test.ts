import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter } from '../../src/database/scene.ts';
import { readApiKey } from '../../src/kernel/apiKey.ts';
import { sha256 } from '../../src/kernel/digest.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { sealAll, verify } from '../audit/chains.ts';
import { mutate } from '../identity/linker.ts';
import { codeOf } from '../identity/visitor.ts';
import type { TenantRole } from '../support/tenants.ts';
import { openTwoTenants, type TwoTenants } from './changing.ts';
import { askWith, changeKey, codeWith, makeKey } from './keyHolder.ts';
import { adminSql, membershipOf, removeMember, updateMembership } from './memberChanges.ts';

let two: TwoTenants;
let owner: string;

beforeAll(async () => {
  two = await openTwoTenants();
  owner = await two.tokenOf(two.one);
});
afterAll(() => two.house.stop());

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';
const bearer = (text: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${text}` },
});
const LINK = `mutation ($input: CreatePaymentLinkInput!) {
  createPaymentLink(input: $input) { paymentLink { id title createdBy { id } } replayed }
}`;
const linkInput = (words: object = {}): Record<string, unknown> => ({
  input: {
    title: 'Tea',
    accepts: [{ asset: two.world.coin.caip19, amount: '1', payTo: two.one.people.OWNER.address }],
    ...words,
  },
});

describe('a request with an API key', () => {
  it('is answered as the organization that the key is of, by either header', async () => {
    const { text, id } = await makeKey(two.house, owner);
    expect((await askWith(two.house, text)).data?.organization?.name).toBe(two.one.marker);
    const other = await two.house.ask(
      '{ organization { name } viewer { role } apiKey { id name } }',
      {},
      {
        headers: { 'x-api-key': text },
      },
    );
    expect(other).toMatchObject({
      status: 200,
      errors: [],
      data: { organization: { name: two.one.marker }, viewer: null, apiKey: { id, name: 'Till' } },
    });
    expect((await two.house.ask('{ apiKey { id } }', {}, { token: owner })).data).toEqual({ apiKey: null });
  });

  it('is refused whole, with 401, for whatever is no key that is good', async () => {
    const { text } = await makeKey(two.house, owner);
    const wrong = `${text.slice(0, -4)}${text.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    const unknown = `th_live_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`;
    for (const each of [wrong, unknown, 'th_live_', 'th_live_x_y', `${text}x`]) {
      const { status, errors } = await askWith(two.house, each);
      expect([status, codeOf({ errors })]).toEqual([401, 'API_KEY_REFUSED']);
    }
    // once more, now that the good one is known
    expect(await codeWith(two.house, text)).toBe('OK');
    expect(await codeWith(two.house, wrong)).toBe('API_KEY_REFUSED');
  });

  it('is refused when two headers say who asks', async () => {
    const { text } = await makeKey(two.house, owner);
    expect(await codeWith(two.house, owner, { 'x-api-key': text })).toBe('BAD_REQUEST');
  });

  it('is refused once the key has expired, whether it was asked with before or not', async () => {
    const { text, id } = await makeKey(two.house, owner, { expiresAt: '2099-01-01T00:00:00Z' });
    expect(await codeWith(two.house, text)).toBe('OK');
    await changeKey(two.house, owner, 'updateApiKey', { id, expiresAt: '2020-01-01T00:00:00Z' });
    expect(await codeWith(two.house, text)).toBe('API_KEY_REFUSED');
  });

  it('is answered only from the addresses that the key allows', async () => {
    const here = await makeKey(two.house, owner, { allowedAddresses: ['10.0.0.0/8', '127.0.0.0/8', '::1'] });
    expect(await codeWith(two.house, here.text)).toBe('OK');
    const elsewhere = await makeKey(two.house, owner, { allowedAddresses: ['192.0.2.0/24', '2001:db8::/32'] });
    const { status, errors } = await askWith(two.house, elsewhere.text);
    expect([status, codeOf({ errors })]).toEqual([403, 'API_KEY_NOT_FROM_HERE']);
    await changeKey(two.house, owner, 'updateApiKey', { id: elsewhere.id, allowedAddresses: null });
    expect(await codeWith(two.house, elsewhere.text)).toBe('OK');
  });

  it('is answered only to pages of the origins that the key allows', async () => {
    const { text } = await makeKey(two.house, owner, { allowedOrigins: ['https://shop.example.com'] });
    expect(await codeWith(two.house, text, { origin: 'https://shop.example.com' })).toBe('OK');
    expect(await codeWith(two.house, text, { origin: 'https://shop.example.com.evil.com' })).toBe(
      'API_KEY_NOT_FROM_HERE',
    );
    expect(await codeWith(two.house, text)).toBe('API_KEY_NOT_FROM_HERE');
  });

  it('is refused while the organization is suspended', async () => {
    const other = await two.tokenOf(two.other);
    const { text } = await makeKey(two.house, other);
    const stand = (status: string): Promise<unknown> =>
      adminSql(two.house, 'update organizations set status = $2::organization_status where id = $1', [
        two.other.organizationId,
        status,
      ]);
    await stand('SUSPENDED');
    expect(await codeWith(two.house, text)).toBe('ORGANIZATION_SUSPENDED');
    await stand('ACTIVE');
    expect(await codeWith(two.house, text)).toBe('OK');
  });
});

describe('what a key may do', () => {
  it('is what its scopes name, and nothing else', async () => {
    const links = await makeKey(two.house, owner, { scopes: ['payment-links:read'] });
    const query = `{ organization {
      paymentLinks(first: 1) { edges { node { title createdBy { id } } } }
      paymentOrders(first: 1) { edges { node { status } } }
      memberships(first: 1) { edges { node { role } } }
      apiKeys(first: 1) { edges { node { name } } }
    } }`;
    const answer = await two.house.ask<{ organization: Record<string, { edges: unknown[] }> }>(
      query,
      {},
      bearer(links.text),
    );
    expect(answer.errors).toEqual([]);
    const { paymentLinks, paymentOrders, memberships, apiKeys } = answer.data?.organization ?? {};
    // it may not read members, not even who made a link; of the keys it sees itself
    expect(paymentLinks?.edges).toMatchObject([{ node: { createdBy: null } }]);
    expect([paymentOrders, memberships].map((page) => page?.edges)).toEqual([[], []]);
    expect(apiKeys?.edges).toEqual([{ node: { name: 'Till' } }]);
    expect(codeOf(await two.house.ask(LINK, linkInput(), bearer(links.text)))).toBe('FORBIDDEN');
  });

  it('is a link’s making, if its scopes say so: in the name of the key, by whoever answers for it', async () => {
    const { text, id } = await makeKey(two.house, owner, {
      scopes: ['payments:write', 'payment-links:read', 'members:read'],
    });
    const key = `key:${rowIdOf(id)}`;
    const idempotencyKey = randomBytes(16).toString('hex');
    const answer = await two.house.ask<{ createPaymentLink: { paymentLink: { id: string } } }>(
      LINK,
      linkInput({ idempotencyKey }),
      bearer(text),
    );
    const creator = { id: encodeGlobalId('User', two.one.people.OWNER.userId) };
    expect(answer).toMatchObject({
      errors: [],
      data: { createPaymentLink: { paymentLink: { title: 'Tea', createdBy: creator }, replayed: false } },
    });
    const again = await two.house.ask(LINK, linkInput({ idempotencyKey }), bearer(text));
    expect(again).toMatchObject({ errors: [], data: { createPaymentLink: { replayed: true } } });
    // a person has other keys of the same text
    const persons = await two.house.ask(LINK, linkInput({ idempotencyKey }), { token: owner });
    expect(persons).toMatchObject({ errors: [], data: { createPaymentLink: { replayed: false } } });
    const linkId = rowIdOf(answer.data?.createPaymentLink.paymentLink.id ?? '');
    expect(await adminSql(two.house, 'select actor, tags from events where aggregate_id = $1', [linkId])).toEqual([
      { actor: key, tags: [`payment-link:${linkId}`, key] },
    ]);
    const entries = await adminSql(
      two.house,
      'select role, user_id, session_id, key_id from audit_entries where row_id = $1',
      [linkId],
    );
    expect(entries).toEqual([{ role: 'tollhouse_member', user_id: null, session_id: null, key_id: rowIdOf(id) }]);
    const shownOf = (apiKey: string): Promise<unknown> =>
      two.house
        .ask<{ organization: { auditEntries: { edges: unknown[] } } | null }>(
          `query ($id: ID, $apiKey: ID) { organization { auditEntries(filter: { row: $id, apiKey: $apiKey }) {
            edges { node { apiKeyId userId } }
          } } }`,
          { id: answer.data?.createPaymentLink.paymentLink.id, apiKey },
          { token: owner },
        )
        .then(({ data, errors }) => data?.organization?.auditEntries.edges ?? codeOf({ errors }));
    const shown = { node: { apiKeyId: id, userId: null } };
    expect(await shownOf(id)).toEqual([shown]);
    expect(await shownOf(rowIdOf(id))).toEqual([shown]);
    expect(await shownOf(randomUUID())).toEqual([]);
    expect(await shownOf('x')).toBe('BAD_USER_INPUT');
  });

  it('asks for a proof that no key has, where the organization wants one', async () => {
    const { text } = await makeKey(two.house, owner, { scopes: ['payments:write', 'payment-links:read'] });
    const require = (on: boolean): Promise<unknown> =>
      adminSql(two.house, 'update organization_settings set require_step_up = $2 where organization_id = $1', [
        two.one.organizationId,
        on,
      ]);
    await require(true);
    expect(codeOf(await two.house.ask(LINK, linkInput(), bearer(text)))).toBe('STEP_UP_REQUIRED');
    await require(false);
    expect(codeOf(await two.house.ask(LINK, linkInput(), bearer(text)))).toBe('OK');
  });

  it.each([
    ['createApiKey', { kind: 'SERVICE', name: 'x', scopes: ['payments:read'] }, 'replayed'],
    ['revokeApiKey', { id: 'x' }, 'replayed'],
    ['updateProfile', { displayName: 'x' }, '__typename'],
    ['updateOrganization', { name: 'x' }, 'replayed'],
    ['createWalletChallenge', { purpose: 'LINK', address: `0x${'1'.repeat(40)}` }, '__typename'],
    ['switchOrganization', { organizationId: 'x' }, '__typename'],
    ['deleteUser', { userId: 'x' }, '__typename'],
  ])('is never %s, which is for people', async (field, input, selection) => {
    const { text } = await makeKey(two.house, owner, { scopes: ['payment-links:read', 'payments:write'] });
    expect((await mutate(two.house, text, field, input, selection)).code).toBe('NEEDS_A_PERSON');
  });

  it('is not hidden from that by a fragment', async () => {
    const { text } = await makeKey(two.house, owner, { scopes: ['payment-links:read', 'payments:write'] });
    const answer = await two.house.ask(
      'mutation { ...it } fragment it on Mutation { signOut { __typename } }',
      {},
      {
        ...bearer(text),
      },
    );
    expect(codeOf(answer)).toBe('NEEDS_A_PERSON');
    const stream = await two.house
      .ask(
        'subscription { viewerChanged { role } }',
        {},
        {
          headers: { ...bearer(text).headers, accept: 'text/event-stream' },
        },
      )
      .catch((error: unknown) => String(error));
    // what is answered is a stream of events, and its only one says so
    expect(String(stream)).toContain('event');
  });

  it('is no writing at all with scopes of reading, not even by a statement of its own', async () => {
    const { text } = await makeKey(two.house, owner, {
      scopes: ['organization:read', 'members:read', 'payment-links:read', 'payments:read', 'events:read', 'audit:read'],
    });
    const { prefix = '', secret = '' } = readApiKey(text) ?? {};
    const claim = { prefixHash: sha256(prefix), secretHash: sha256(secret), address: null, origin: null };
    const tables = await adminSql<{ name: string; column: string }>(
      two.house,
      `select c.relname as name, (
         select quote_ident(a.attname) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and has_column_privilege('tollhouse_member', c.oid, a.attnum, 'update')
         limit 1
       ) as column
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
    );
    const client = new pg.Client({ connectionString: two.house.database.gatewayUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(enter({ kind: 'key', requestId: 'raw', claim, call: { counted: true } }) as pg.QueryConfig);
      const written = async (statement: string): Promise<number> => {
        await client.query('savepoint attempt');
        const count = await client.query(statement).then(
          ({ rowCount }) => rowCount ?? 0,
          () => 0,
        );
        await client.query('rollback to savepoint attempt');
        return count;
      };
      expect(tables.length).toBeGreaterThan(25);
      for (const { name, column } of tables) {
        const again = column ? await written(`update ${name} set ${column} = ${column}`) : 0;
        const gone = await written(`delete from ${name}`);
        const more = await written(`insert into ${name} select * from ${name}`);
        expect([name, again, gone, more]).toEqual([name, 0, 0, 0]);
      }
      const key = `(select 'key:' || current_key_id())`;
      expect(
        await written(`insert into idempotency_keys (organization_id, principal, operation, key_hash, request_hash,
          result_id, expires_at) values (current_organization_id(), ${key}, 'x', sha256('a'), sha256('b'), uuid_v7(), now())`),
      ).toBe(0);
      for (const type of ['payment-link.created', 'wallet.linked', 'organization.updated', 'api-key.created']) {
        expect(
          await written(`insert into events (organization_id, type, aggregate_type, aggregate_id, aggregate_version,
            actor, tags, data, metadata) values (current_organization_id(), '${type}', 'x', uuid_v7(), 1, ${key}, '{}',
            '{}', '{}')`),
        ).toBe(0);
      }
      // and that it is not the statements that are wrong
      expect((await client.query('select from payment_links')).rowCount).toBeGreaterThan(0);
    } finally {
      await client.end();
    }
  });
});

describe('the audit’s chain', () => {
  it('holds which key made a change', async () => {
    const { database } = two.house;
    await sealAll(database);
    expect((await verify(database, two.one.organizationId)).fault).toBeNull();
    const [entry] = await adminSql<{ id: string; key_id: string }>(
      two.house,
      'select id, key_id from audit_entries where organization_id = $1 and key_id is not null limit 1',
      [two.one.organizationId],
    );
    const rewrite = (keyId: string | undefined | null): Promise<unknown> =>
      adminSql(two.house, 'update audit_entries set key_id = $2 where id = $1', [entry?.id, keyId]);
    for (const forged of [null, two.one.organizationId]) {
      await rewrite(forged);
      const { fault } = await verify(database, two.one.organizationId);
      expect(fault).toMatchObject({ kind: 'ALTERED', entryId: entry?.id });
    }
    await rewrite(entry?.key_id);
    expect((await verify(database, two.one.organizationId)).fault).toBeNull();
  });
});

describe('whoever answers for a key', () => {
  const change = async (role: TenantRole, words: object): Promise<string> => {
    const id = await membershipOf(two.house, two.one, two.one.people[role].userId);
    return (await updateMembership(two.house, owner, { id, ...words })).code;
  };

  it('limits it to what they may do now', async () => {
    const admin = await two.tokenOf(two.one, 'ADMIN');
    const { text } = await makeKey(two.house, admin, {
      scopes: ['audit:read', 'payments:write', 'payment-links:read'],
    });
    const reads = async (): Promise<string> =>
      codeOf(await two.house.ask('{ organization { auditEntries(first: 1) { edges { cursor } } } }', {}, bearer(text)));
    expect(await reads()).toBe('OK');
    expect(codeOf(await two.house.ask(LINK, linkInput(), bearer(text)))).toBe('OK');
    expect(await change('ADMIN', { role: 'MEMBER' })).toBe('OK');
    expect(await reads()).toBe('FORBIDDEN');
    expect(codeOf(await two.house.ask(LINK, linkInput(), bearer(text)))).toBe('FORBIDDEN');
    expect(await codeWith(two.house, text)).toBe('OK');
    expect(await change('ADMIN', { role: 'ADMIN' })).toBe('OK');
    expect(await reads()).toBe('OK');
  });

  it('ends personal keys by leaving; others wait until an owner confirms them', async () => {
    const admin = await two.tokenOf(two.one, 'ADMIN');
    const { userId } = two.one.people.ADMIN;
    const personal = await makeKey(two.house, admin, { kind: 'PERSONAL' });
    const service = await makeKey(two.house, admin, { kind: 'SERVICE' });
    expect((await changeKey(two.house, admin, 'confirmApiKey', { id: service.id })).code).toBe(
      'API_KEY_NOT_CONFIRMABLE',
    );
    expect((await changeKey(two.house, owner, 'confirmApiKey', { id: personal.id })).code).toBe(
      'API_KEY_NOT_CONFIRMABLE',
    );
    const membership = await membershipOf(two.house, two.one, userId);
    expect((await removeMember(two.house, owner, { id: membership })).code).toBe('OK');
    const { status, errors } = await askWith(two.house, service.text);
    expect([status, codeOf({ errors })]).toEqual([403, 'API_KEY_UNCONFIRMED']);
    expect(await codeWith(two.house, personal.text)).toBe('API_KEY_REFUSED');
    // not even if they come back
    await adminSql(two.house, `update memberships set status = 'ACTIVE', left_at = null where id = $1`, [
      rowIdOf(membership),
    ]);
    expect(await codeWith(two.house, service.text)).toBe('API_KEY_UNCONFIRMED');
    expect(await codeWith(two.house, personal.text)).toBe('API_KEY_REFUSED');
    const confirmed = await changeKey(two.house, owner, 'confirmApiKey', { id: service.id });
    expect(confirmed).toMatchObject({
      code: 'OK',
      data: { apiKey: { status: 'ACTIVE', responsible: { id: encodeGlobalId('User', two.one.people.OWNER.userId) } } },
    });
    expect(await codeWith(two.house, service.text)).toBe('OK');
  });

  it('takes it along when they are disabled', async () => {
    const admin = await two.tokenOf(two.one, 'ADMIN');
    const { text } = await makeKey(two.house, admin);
    const stand = (status: string): Promise<unknown> =>
      adminSql(two.house, 'update users set status = $2::user_status where id = $1', [
        two.one.people.ADMIN.userId,
        status,
      ]);
    await stand('DISABLED');
    expect(await codeWith(two.house, text)).toBe('API_KEY_UNCONFIRMED');
    await stand('ACTIVE');
    expect(await codeWith(two.house, text)).toBe('OK');
  });
});
