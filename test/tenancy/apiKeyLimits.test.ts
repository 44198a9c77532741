import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/gateway/log.ts';
import { codeOf } from '../identity/visitor.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { askWith, changeKey, codeWith, KEY, type KeySeen, makeKey } from './keyHolder.ts';
import { adminSql, tokenOf } from './memberChanges.ts';

let house: TestTollhouse;
let owner: string;
const lines: string[] = [];

beforeAll(async () => {
  house = await startTollhouse({ log: createLog('trace', { write: (line) => void lines.push(line) }) });
  const [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1 })).tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
});
afterAll(() => house.stop());

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? '';

async function seen(id: string): Promise<KeySeen> {
  const { data } = await house.ask<{ node: KeySeen }>(
    `query ($id: ID!) { node(id: $id) { ... on ApiKey { ${KEY} } } }`,
    { id },
    { token: owner },
  );
  return data?.node as KeySeen;
}

describe('a key’s monthly limit', () => {
  it('lets exactly so many of a hundred at once pass, and says when the next may', async () => {
    const { text, id } = await makeKey(house, owner, { monthlyLimit: 37 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => askWith(house, text)));
    const codes = answers.map(codeOf);
    expect(codes.filter((code) => code === 'OK')).toHaveLength(37);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(63);
    const refused = answers.find((answer) => codeOf(answer) === 'RATE_LIMITED');
    expect(refused?.status).toBe(429);
    // until the next month
    const wait = Number(refused?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(31 * 86_400);
    expect(await seen(id)).toMatchObject({ monthlyLimit: 37, requestsThisMonth: 37 });
    await changeKey(house, owner, 'updateApiKey', { id, monthlyLimit: 38 });
    expect([await codeWith(house, text), await codeWith(house, text)]).toEqual(['OK', 'RATE_LIMITED']);
    await changeKey(house, owner, 'updateApiKey', { id, monthlyLimit: null });
    expect(await codeWith(house, text)).toBe('OK');
    expect((await seen(id)).requestsThisMonth).toBeNull();
  });

  it('begins anew with a month', async () => {
    const { text, id } = await makeKey(house, owner, { monthlyLimit: 1 });
    expect([await codeWith(house, text), await codeWith(house, text)]).toEqual(['OK', 'RATE_LIMITED']);
    await adminSql(house, `update api_key_uses set month = month - interval '1 month' where id = $1`, [rowIdOf(id)]);
    expect((await seen(id)).requestsThisMonth).toBe(0);
    expect([await codeWith(house, text), await codeWith(house, text)]).toEqual(['OK', 'RATE_LIMITED']);
  });

  it('counts a request once, however much it asks for, and not at all when it is refused', async () => {
    const { text, id } = await makeKey(house, owner, { monthlyLimit: 10, scopes: ['payment-links:read'] });
    const headers = { authorization: `Bearer ${text}` };
    const query = `{ apiKey { name } organization { a: paymentLinks(first: 3) { edges { node { title } } }
      apiKeys(first: 1) { edges { node { name } } } } }`;
    expect((await house.ask(query, {}, { headers })).errors).toEqual([]);
    expect((await seen(id)).requestsThisMonth).toBe(1);
    expect(await codeWith(house, `${text.slice(0, -4)}AAA0`)).toBe('API_KEY_REFUSED');
    expect((await seen(id)).requestsThisMonth).toBe(1);
  });
});

describe('when a key was used last', () => {
  it('is known to the hour, and costs a write an hour', async () => {
    const { text, id } = await makeKey(house, owner);
    expect((await seen(id)).lastUsedAt).toBeNull();
    await codeWith(house, text);
    const first = (await seen(id)).lastUsedAt ?? '';
    expect(first).toMatch(/:00:00\.000Z$/);
    const version = (): Promise<{ xmin: string }[]> =>
      adminSql(house, 'select xmin::text as xmin from api_key_uses where id = $1', [rowIdOf(id)]);
    const before = await version();
    await Promise.all(Array.from({ length: 10 }, () => codeWith(house, text)));
    // an hour may have begun in between
    if ((await seen(id)).lastUsedAt === first) expect(await version()).toEqual(before);
    await adminSql(house, `update api_key_uses set last_used_at = last_used_at - interval '3 hours' where id = $1`, [
      rowIdOf(id),
    ]);
    await codeWith(house, text);
    expect(Date.parse((await seen(id)).lastUsedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first));
  });

  it('is no change of the key, and not in the audit', async () => {
    const { text, id } = await makeKey(house, owner, { monthlyLimit: 5 });
    await codeWith(house, text);
    const entries = await adminSql<{ verb: string }>(house, 'select verb from audit_entries where row_id = $1', [
      rowIdOf(id),
    ]);
    expect(entries.map(({ verb }) => verb)).toEqual(['INSERT']);
  });
});

describe('the log', () => {
  it('holds no key and no part of its secret, at whatever level, in whatever header it came', async () => {
    const { text } = await makeKey(house, owner, { allowedAddresses: ['192.0.2.1'] });
    const good = await makeKey(house, owner);
    const wrong = `${good.text.slice(0, -4)}AAA0`;
    lines.length = 0;
    const broken = '{ organization { nothing } }';
    for (const key of [text, good.text, wrong]) {
      for (const name of [
        'x-api-key',
        'x-request-id',
        'idempotency-key',
        'user-agent',
        'referer',
        'origin',
        'cookie',
      ]) {
        await house.ask('{ organization { name } }', {}, { headers: { [name]: key } });
      }
      for (const query of ['{ organization { name } }', broken, 'mutation { signOut { __typename } }']) {
        await house.ask(query, {}, { headers: { authorization: `Bearer ${key}` } });
        await house.ask(query, {}, { headers: { authorization: `bearer ${key}`, 'x-api-key': key } });
      }
    }
    expect(lines.length).toBeGreaterThan(30);
    const all = lines.join('');
    for (const key of [text, good.text, wrong]) {
      const secret = key.slice('th_live_'.length + 17);
      for (const part of [key, secret, secret.slice(0, 12), secret.slice(-12)]) expect(all).not.toContain(part);
    }
  });
});
