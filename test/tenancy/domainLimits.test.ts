import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { mutate, type Outcome } from '../identity/linker.ts';
import { sql } from '../identity/visitor.ts';
import { type NameServer, startNameServer } from '../support/nameServer.ts';
import type { Tenant } from '../support/tenants.ts';
import { openTwoTenants, type TwoTenants } from './changing.ts';

const MOST = 50;
const CHECKS = 3;

let names: NameServer;
let tenants: TwoTenants;
beforeAll(async () => {
  names = await startNameServer();
  tenants = await openTwoTenants({
    DNS_SERVERS: names.address,
    PUBLIC_URL: 'https://gate.tollhouse-test.com',
    SIGN_IN_ORIGINS: 'https://app.tollhouse-app.com',
    TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: '0',
    LIMIT_DOMAIN_CHECKS_PER_ORGANIZATION_PER_MINUTE: String(CHECKS),
  });
});
afterAll(async () => {
  await tenants.house.stop();
  await names.stop();
});

const newHost = () => `d${newId()}.com`;

async function add(tenant: Tenant, more: object = {}): Promise<Outcome<{ domain: Domain }>> {
  const input = { host: newHost(), kind: 'CUSTOM', ...more };
  const selection = 'domain { id host record { name value } }';
  return mutate(tenants.house, await tenants.tokenOf(tenant), 'addDomain', input, selection);
}

async function verify(tenant: Tenant, id: string): Promise<string> {
  return (await mutate(tenants.house, await tenants.tokenOf(tenant), 'verifyDomain', { id }, 'domain { id }')).code;
}

interface Domain {
  readonly id: string;
  readonly host: string;
  readonly record: { readonly name: string; readonly value: string };
}

async function added(tenant: Tenant): Promise<Domain> {
  const { code, data } = await add(tenant);
  if (!data) throw new Error(`Not added: ${code}`);
  return data.domain;
}

/** Gives an organization domains until it has so many. */
async function fill({ organizationId }: Tenant, count: number): Promise<void> {
  await sql(
    tenants.house,
    `insert into organization_domains (organization_id, kind, host, verification_token)
     select $1, 'CUSTOM', 'filler-' || uuid_v7() || '.com', md5('x')
     from generate_series(1, $2 - (select count(*)::int from organization_domains where organization_id = $1))`,
    [organizationId, count],
  );
}

async function empty({ organizationId }: Tenant): Promise<void> {
  await sql(tenants.house, `delete from organization_domains where organization_id = $1 and host like 'filler-%'`, [
    organizationId,
  ]);
}

describe('an organization’s domains', () => {
  it('are fifty at most, each organization’s for itself, and a removed one makes room', async () => {
    await fill(tenants.one, MOST - 1);
    const last = await added(tenants.one);
    expect((await add(tenants.one)).code).toBe('TOO_MANY_DOMAINS');
    expect((await add(tenants.other)).code).toBe('OK');
    const token = await tenants.tokenOf(tenants.one);
    expect((await mutate(tenants.house, token, 'removeDomain', { id: last.id }, 'domainId')).code).toBe('OK');
    expect((await add(tenants.one)).code).toBe('OK');
    await empty(tenants.one);
  });

  it('are fifty at most when many are added at one instant, and the refusal is not kept for a key', async () => {
    await fill(tenants.one, MOST - 2);
    const keys = Array.from({ length: 6 }, () => ({ idempotencyKey: `a-key-of-${newId()}`, host: newHost() }));
    const codes = (await Promise.all(keys.map((more) => add(tenants.one, more)))).map(({ code }) => code);
    expect([...codes].sort()).toEqual(['OK', 'OK', ...Array.from({ length: 4 }, () => 'TOO_MANY_DOMAINS')]);
    await empty(tenants.one);
    const refused = keys.find((_, index) => codes[index] !== 'OK');
    expect((await add(tenants.one, refused)).code).toBe('OK');
  });
});

describe('questions to the name system', () => {
  it('are so many a minute and an organization, whatever the answer, and what is verified asks none', async () => {
    const { id, record } = await added(tenants.one);
    for (let count = 0; count < CHECKS - 1; count += 1) {
      expect(await verify(tenants.one, id)).toBe('DOMAIN_NOT_VERIFIED');
    }
    names.texts.set(record.name, [record.value]);
    expect(await verify(tenants.one, id)).toBe('OK');
    const { id: next, record: unasked } = await added(tenants.one);
    expect(await verify(tenants.one, next)).toBe('RATE_LIMITED');
    expect(names.asked(unasked.name)).toBe(0);
    expect(await verify(tenants.one, id)).toBe('OK');
    expect(names.asked(record.name)).toBe(CHECKS);
    // another organization’s are its own
    expect(await verify(tenants.other, (await added(tenants.other)).id)).toBe('DOMAIN_NOT_VERIFIED');
    await sql(tenants.house, `update rate_limits set window_start = window_start - interval '1 minute'`);
    expect(await verify(tenants.one, next)).toBe('DOMAIN_NOT_VERIFIED');
  });

  it('are not counted for what is not the organization’s', async () => {
    const { id } = await added(tenants.other);
    await sql(tenants.house, `update rate_limits set window_start = window_start - interval '1 minute'`);
    for (let count = 0; count <= CHECKS; count += 1) expect(await verify(tenants.one, id)).toBe('DOMAIN_UNKNOWN');
    expect(await verify(tenants.one, encodeGlobalId('Domain', newId()))).toBe('DOMAIN_UNKNOWN');
    const own = await added(tenants.one);
    expect(await verify(tenants.one, own.id)).toBe('DOMAIN_NOT_VERIFIED');
  });
});
