import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { KEY_SCOPES, PERMISSIONS } from '../../src/kernel/permissions.ts';
import { codeOf } from '../identity/visitor.ts';
import { openTwoTenants, type TwoTenants } from './changing.ts';
import { changeKey, codeWith, createKey, KEY, type KeySeen, makeKey } from './keyHolder.ts';
import { adminSql } from './memberChanges.ts';

let two: TwoTenants;
let owner: string;
let admin: string;
let member: string;

beforeAll(async () => {
  two = await openTwoTenants();
  [owner, admin, member] = (await Promise.all(
    (['OWNER', 'ADMIN', 'MEMBER'] as const).map((role) => two.tokenOf(two.one, role)),
  )) as [string, string, string];
});
afterAll(() => two.house.stop());

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';

async function listed(filter: object, token = owner): Promise<KeySeen[]> {
  const answer = await two.house.ask<{ organization: { apiKeys: { edges: { node: KeySeen }[] } } }>(
    `query ($filter: ApiKeyFilter) { organization { apiKeys(first: 100, filter: $filter) { edges { node { ${KEY} } } } } }`,
    { filter },
    { token },
  );
  expect(codeOf(answer)).toBe('OK');
  return answer.data?.organization.apiKeys.edges.map(({ node }) => node) ?? [];
}

describe('an API key', () => {
  it('is shown once, and only its hash is kept', async () => {
    const { code, data } = await createKey(two.house, admin, { description: 'At the door', monthlyLimit: 5 });
    expect(code).toBe('OK');
    expect(data?.key).toMatch(/^th_live_[0-9a-f]{16}_[\w-]{43}$/);
    expect(data?.apiKey).toMatchObject({
      kind: 'SERVICE',
      name: 'Till',
      description: 'At the door',
      scopes: ['organization:read', 'payment-links:read'],
      status: 'ACTIVE',
      createdBy: { id: encodeGlobalId('User', two.one.people.ADMIN.userId) },
      responsible: { id: encodeGlobalId('User', two.one.people.ADMIN.userId) },
      allowedAddresses: [],
      monthlyLimit: 5,
      requestsThisMonth: 0,
      lastUsedAt: null,
    });
    const [prefix = '', secret = ''] = data?.key?.slice('th_live_'.length).split(/_(.*)/s) ?? [];
    expect(data?.apiKey.prefix).toBe(`th_live_${prefix}`);
    const [row] = await adminSql<{ secret_hash: Buffer; all: string }>(
      two.house,
      'select secret_hash, row_to_json(k)::text as all from api_keys k where prefix = $1',
      [prefix],
    );
    expect(row?.secret_hash).toEqual(createHash('sha256').update(secret).digest());
    expect(row?.all).not.toContain(secret);
  });

  it('is made once with an idempotency key, and not shown a second time', async () => {
    const idempotencyKey = randomBytes(16).toString('hex');
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const first = await createKey(two.house, owner, { idempotencyKey, expiresAt });
    const again = await createKey(two.house, owner, { idempotencyKey, expiresAt });
    expect(first.data).toMatchObject({ replayed: false, key: expect.stringMatching(/^th_live_/) });
    expect(again).toMatchObject({ code: 'OK', data: { replayed: true, key: null } });
    expect(again.data?.apiKey.id).toBe(first.data?.apiKey.id);
    expect((await createKey(two.house, owner, { idempotencyKey, name: 'Another' })).code).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
  });

  it('is made by nobody who may not write keys, and by nobody with an old proof', async () => {
    expect((await createKey(two.house, member)).code).toBe('FORBIDDEN');
    const { sessionId } = two.one.people.OWNER;
    const age = (minutes: number): Promise<unknown> =>
      adminSql(two.house, 'update sessions set proved_at = now() - make_interval(mins => $2) where id = $1', [
        sessionId,
        minutes,
      ]);
    await age(11);
    expect((await createKey(two.house, owner)).code).toBe('STEP_UP_REQUIRED');
    await age(0);
    expect((await createKey(two.house, owner)).code).toBe('OK');
  });

  it.each([
    ['no scope', { scopes: [] }],
    ['a scope that is for people', { scopes: ['members:write'] }],
    ['a scope that there is not', { scopes: ['payments:all'] }],
    ['making links without reading them', { scopes: ['payments:write'] }],
    ['no name', { name: ' ' }],
    ['an address that is none', { allowedAddresses: ['example.com'] }],
    ['a network that is too narrow', { allowedAddresses: ['10.0.0.0/33'] }],
    ['an origin with a path', { allowedOrigins: ['https://shop.example.com/pay'] }],
    ['more places than can be', { allowedOrigins: Array.from({ length: 21 }, (_, i) => `https://s${i}.example.com`) }],
    ['a limit of nothing', { monthlyLimit: 0 }],
  ])('is refused with %s', async (_, input) => {
    expect((await createKey(two.house, owner, input)).code).toBe('BAD_USER_INPUT');
  });

  it('keeps addresses as networks in one spelling', async () => {
    const { data } = await createKey(two.house, owner, {
      allowedAddresses: ['10.1.2.3/8', '2001:DB8::1', '192.0.2.7'],
      allowedOrigins: ['https://shop.example.com'],
    });
    expect(data?.apiKey.allowedAddresses).toEqual(['10.0.0.0/8', '2001:db8::1', '192.0.2.7']);
    expect(data?.apiKey.allowedOrigins).toEqual(['https://shop.example.com']);
  });

  it('is changed by who may write keys, but not in what it may do', async () => {
    const { id } = await makeKey(two.house, owner, { description: 'x', monthlyLimit: 3 });
    const changed = await changeKey(two.house, admin, 'updateApiKey', {
      id,
      name: 'Door',
      description: null,
      monthlyLimit: null,
      allowedAddresses: ['192.0.2.0/24'],
    });
    expect(changed).toMatchObject({
      code: 'OK',
      data: {
        apiKey: { name: 'Door', description: null, monthlyLimit: null, allowedAddresses: ['192.0.2.0/24'] },
      },
    });
    expect((await changeKey(two.house, member, 'updateApiKey', { id, name: 'Mine' })).code).toBe('FORBIDDEN');
    expect((await changeKey(two.house, owner, 'updateApiKey', { id })).code).toBe('BAD_USER_INPUT');
    expect((await changeKey(two.house, owner, 'updateApiKey', { id, name: null })).code).toBe('BAD_USER_INPUT');
  });

  it('is revoked at once and for good, once', async () => {
    const { id, text } = await makeKey(two.house, owner);
    expect(await codeWith(two.house, text)).toBe('OK');
    expect((await changeKey(two.house, member, 'revokeApiKey', { id })).code).toBe('FORBIDDEN');
    expect(await codeWith(two.house, text)).toBe('OK');
    const revoked = await changeKey(two.house, admin, 'revokeApiKey', { id });
    expect(revoked).toMatchObject({ code: 'OK', data: { apiKey: { status: 'REVOKED' } } });
    expect(await codeWith(two.house, text)).toBe('API_KEY_REFUSED');
    const again = await changeKey(two.house, owner, 'revokeApiKey', { id });
    expect(again.data?.apiKey.revokedAt).toBe(revoked.data?.apiKey.revokedAt);
    expect((await changeKey(two.house, owner, 'updateApiKey', { id, name: 'Back' })).code).toBe('API_KEY_REVOKED');
    expect((await changeKey(two.house, owner, 'confirmApiKey', { id })).code).toBe('API_KEY_REVOKED');
  });

  it('tells what became of it, and is audited without its hash', async () => {
    const { id, text } = await makeKey(two.house, owner);
    await changeKey(two.house, owner, 'updateApiKey', { id, name: 'Other' });
    await changeKey(two.house, owner, 'confirmApiKey', { id });
    await changeKey(two.house, owner, 'revokeApiKey', { id });
    await changeKey(two.house, owner, 'revokeApiKey', { id });
    const told = await adminSql<{ type: string; all: string }>(
      two.house,
      'select type, row_to_json(e)::text as all from events e where aggregate_id = $1 order by aggregate_version',
      [rowIdOf(id)],
    );
    expect(told.map(({ type }) => type)).toEqual([
      'api-key.created',
      'api-key.updated',
      'api-key.confirmed',
      'api-key.revoked',
    ]);
    const entries = await adminSql<{ verb: string; all: string }>(
      two.house,
      `select verb, concat(before, after) as all from audit_entries where table_name = 'api_keys' and row_id = $1`,
      [rowIdOf(id)],
    );
    // confirming what one answers for already changes nothing but the time
    expect(entries.map(({ verb }) => verb)).toEqual(['INSERT', 'UPDATE', 'UPDATE', 'UPDATE']);
    const secret = text.slice('th_live_'.length + 17);
    const hash = createHash('sha256').update(secret).digest('hex');
    for (const { all } of [...told, ...entries]) {
      expect(all).not.toContain('secret_hash');
      expect(all).not.toContain(secret);
      expect(all).not.toContain(hash);
    }
  });

  it('of another organization is as unknown as one that there is not', async () => {
    const { id } = await makeKey(two.house, await two.tokenOf(two.other));
    for (const field of ['updateApiKey', 'revokeApiKey', 'confirmApiKey'] as const) {
      const words = field === 'updateApiKey' ? { name: 'Mine' } : {};
      for (const named of [id, encodeGlobalId('ApiKey', newId()), 'nonsense']) {
        expect((await changeKey(two.house, owner, field, { id: named, ...words })).code).toBe('API_KEY_UNKNOWN');
      }
    }
    expect((await listed({})).map((key) => key.id)).not.toContain(id);
  });
});

describe('the list of API keys', () => {
  it('is filtered by status, kind and words', async () => {
    const other = await two.tokenOf(two.other);
    const personal = await makeKey(two.house, other, { kind: 'PERSONAL', name: 'Notebook' });
    const revoked = await makeKey(two.house, other, { name: 'Old till', description: 'was at the DOOR' });
    const expired = await makeKey(two.house, other, { name: 'Fair', expiresAt: '2020-01-01T00:00:00Z' });
    const unconfirmed = await makeKey(two.house, other, { name: 'Orphan' });
    await changeKey(two.house, other, 'revokeApiKey', { id: revoked.id });
    await adminSql(two.house, 'update api_keys set responsible_id = null where id = $1', [rowIdOf(unconfirmed.id)]);
    const ids = async (filter: object): Promise<string[]> => (await listed(filter, other)).map(({ id }) => id);
    expect(await ids({ status: 'REVOKED' })).toEqual([revoked.id]);
    expect(await ids({ status: 'EXPIRED' })).toEqual([expired.id]);
    expect(await ids({ status: 'UNCONFIRMED' })).toEqual([unconfirmed.id]);
    expect(await ids({ kind: 'PERSONAL', status: 'ACTIVE' })).toEqual([personal.id]);
    expect(await ids({ text: 'door' })).toEqual([revoked.id]);
    const [{ moment = '' } = {}] = await adminSql<{ moment: string }>(
      two.house,
      `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as moment
       from api_keys where id = $1`,
      [rowIdOf(revoked.id)],
    );
    expect(await ids({ createdFrom: moment, text: 'o' })).toEqual([unconfirmed.id, revoked.id]);
    expect(await ids({ createdBefore: moment, kind: 'PERSONAL' })).toEqual([personal.id]);
    expect(await ids({ createdFrom: moment, createdBefore: moment })).toEqual([]);
    for (const status of ['REVOKED', 'EXPIRED', 'UNCONFIRMED', 'ACTIVE']) {
      for (const key of await listed({ status }, other)) expect(key.status).toBe(status);
    }
  });

  it('is empty for who may not read keys', async () => {
    expect((await listed({})).length).toBeGreaterThan(0);
    expect(await listed({}, member)).toEqual([]);
  });
});

describe('the scopes that a key may have', () => {
  it('are what the database’s check says, and permissions all', async () => {
    const [{ said = '' } = {}] = await adminSql<{ said: string }>(
      two.house,
      `select pg_get_constraintdef(oid) as said from pg_constraint where conname = 'api_keys_scopes_check'`,
    );
    expect(said.match(/[a-z-]+:(read|write)/g)).toEqual([...KEY_SCOPES]);
    for (const scope of KEY_SCOPES) expect(PERMISSIONS).toHaveProperty([scope]);
  });
});
