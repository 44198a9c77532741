import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { mutate, type Outcome } from '../identity/linker.ts';
import { sql } from '../identity/visitor.ts';
import { type NameServer, startNameServer } from '../support/nameServer.ts';
import type { Tenant, TenantRole } from '../support/tenants.ts';
import { openTwoTenants, type TwoTenants } from './changing.ts';

let names: NameServer;
let tenants: TwoTenants;
beforeAll(async () => {
  names = await startNameServer();
  tenants = await openTwoTenants({
    DNS_SERVERS: names.address,
    PUBLIC_URL: 'https://gate.tollhouse-test.com',
    SIGN_IN_ORIGINS: 'https://app.tollhouse-app.com,http://localhost:3000',
  });
});
beforeEach(() => {
  names.mood = 'well';
});
afterAll(async () => {
  await tenants.house.stop();
  await names.stop();
});

interface Domain {
  readonly id: string;
  readonly host: string;
  readonly kind: string;
  readonly primary: boolean;
  readonly verifiedAt: string | null;
  readonly record: { readonly name: string; readonly value: string };
}
const DOMAIN = 'id host kind primary verifiedAt record { name value }';

type Who = readonly [tenant: Tenant, role?: TenantRole];
const owner = (): Who => [tenants.one];
const rows = (text: string, ...values: unknown[]) => sql(tenants.house, text, values);
const newHost = () => `d${newId()}.com`;

async function act<Data>(who: Who, field: string, input: object, selection: string): Promise<Outcome<Data>> {
  return mutate<Data>(tenants.house, await tenants.tokenOf(...who), field, input, selection);
}
const add = (host: string, who = owner(), more: object = {}) =>
  act<{ domain: Domain; replayed: boolean }>(
    who,
    'addDomain',
    { host, kind: 'CUSTOM', ...more },
    `domain { ${DOMAIN} } replayed`,
  );
const verify = (id: string, who = owner()) =>
  act<{ domain: Domain }>(who, 'verifyDomain', { id }, `domain { ${DOMAIN} }`);
const prefer = (id: string, who = owner()) =>
  act<{ domain: Domain }>(who, 'setPrimaryDomain', { id }, `domain { ${DOMAIN} } replayed`);
const remove = (id: string, who = owner(), more: object = {}) =>
  act<{ domainId: string; replayed: boolean }>(who, 'removeDomain', { id, ...more }, 'domainId replayed');

async function added(host = newHost(), who = owner()): Promise<Domain> {
  const { code, data } = await add(host, who);
  if (!data) throw new Error(`${host} was not added: ${code}`);
  return data.domain;
}

/** A domain whose record says whose it is, and was found to. */
async function proved(host = newHost(), who = owner()): Promise<Domain> {
  const { id, record } = await added(host, who);
  names.texts.set(record.name, [...(names.texts.get(record.name) ?? []), record.value]);
  const { code, data } = await verify(id, who);
  if (!data) throw new Error(`${host} was not verified: ${code}`);
  return data.domain;
}

async function listed(who = owner()): Promise<readonly Domain[]> {
  const { data } = await tenants.house.ask<{ organization: { domains: { edges: { node: Domain }[] } } }>(
    `{ organization { domains(first: 100) { edges { node { ${DOMAIN} } } } } }`,
    {},
    { token: await tenants.tokenOf(...who) },
  );
  return data?.organization.domains.edges.map(({ node }) => node) ?? [];
}

const handlesOf = (host: string) =>
  rows(
    `select organization_id from handles where kind = 'domain' and value_hash = sha256(convert_to($1, 'UTF8'))`,
    host,
  );

describe('addDomain', () => {
  it('keeps a host in its one spelling, with the record that it is to publish, and proves nothing', async () => {
    const part = newId();
    const domain = await added(` Tee-${part.toUpperCase()}.Bücher.COM `);
    const host = `tee-${part}.xn--bcher-kva.com`;
    expect(domain).toMatchObject({ host, kind: 'CUSTOM', primary: false, verifiedAt: null });
    expect(domain.record.name).toBe(`_tollhouse.${host}`);
    expect(domain.record.value).toMatch(/^tollhouse-verification=[0-9a-f]{32}$/);
    expect((await listed())[0]).toEqual(domain);
    expect(await handlesOf(host)).toEqual([]);
  });

  it.each([
    'localhost',
    'com',
    'https://acme.com',
    'acme.com:443',
    'acme.com/pay',
    'acme.com.',
    '.acme.com',
    'ac me.com',
    '-acme.com',
    'acme_shop.com',
    '192.0.2.1',
    '[2001:db8::1]',
    `${'a'.repeat(64)}.com`,
    `${'abcdefg.'.repeat(31)}com`,
    '',
  ])('refuses %s, which is no host', async (host) => {
    expect((await add(host)).code).toBe('BAD_USER_INPUT');
  });

  it.each([
    'gate.tollhouse-test.com',
    'GATE.tollhouse-test.com',
    'pay.gate.tollhouse-test.com',
    'app.tollhouse-app.com',
    'shop.localhost',
    'shop.local',
    'acme.example',
    'acme.test',
    'service.internal',
    '1.0.0.127.in-addr.arpa',
  ])('refuses %s, which no organization can have', async (host) => {
    expect((await add(host)).code).toBe('DOMAIN_RESERVED');
  });

  it('takes what only looks like one of ours, and a subdomain only below something', async () => {
    expect((await add('not-gate.tollhouse-test.com')).code).toBe('OK');
    expect((await add('acme.com', owner(), { kind: 'SUBDOMAIN' })).code).toBe('BAD_USER_INPUT');
    expect((await add('pay.acme.com', owner(), { kind: 'SUBDOMAIN' })).data?.domain.kind).toBe('SUBDOMAIN');
  });

  it('is refused a second time, and done once for a key', async () => {
    const host = newHost();
    const key = { idempotencyKey: newId() };
    const first = await add(host, owner(), key);
    const again = await add(host, owner(), key);
    expect([first.data?.replayed, again.data?.replayed]).toEqual([false, true]);
    expect(again.data?.domain).toEqual(first.data?.domain);
    expect((await add(host)).code).toBe('DOMAIN_ALREADY_ADDED');
    expect((await add(host, [tenants.other])).code).toBe('OK');
  });
});

describe('verifyDomain', () => {
  it('believes the record, and asks no more', async () => {
    const domain = await proved();
    expect(domain.verifiedAt).not.toBeNull();
    expect(await handlesOf(domain.host)).toEqual([{ organization_id: tenants.one.organizationId }]);
    const asked = names.asked(domain.record.name);
    expect((await verify(domain.id)).data?.domain).toEqual(domain);
    expect(names.asked(domain.record.name)).toBe(asked);
  });

  it('finds the record among others, and a long one in its pieces', async () => {
    const { id, record } = await added();
    names.texts.set(record.name, ['v=spf1 -all', 'x'.repeat(600), record.value]);
    expect((await verify(id)).code).toBe('OK');
  });

  it.each<[string, (value: string) => readonly string[] | null]>([
    ['no such name', () => null],
    ['no record of that type', () => []],
    ['another record', () => ['tollhouse-verification=00000000000000000000000000000000']],
    ['a part of it', (value) => [value.slice(0, -1)]],
    ['more than it', (value) => [`${value}0`]],
    ['it in upper case', (value) => [value.toUpperCase()]],
  ])('does not believe %s', async (_, textsFor) => {
    const { id, record } = await added();
    const texts = textsFor(record.value);
    if (texts) names.texts.set(record.name, texts);
    expect((await verify(id)).code).toBe('DOMAIN_NOT_VERIFIED');
    names.texts.set(record.name, [record.value]);
    expect((await verify(id)).code).toBe('OK');
  });

  it('does not believe the record at the host itself, nor that of another organization', async () => {
    const host = newHost();
    const [mine, theirs] = [await added(host), await added(host, [tenants.other])];
    expect(mine.record.value).not.toBe(theirs.record.value);
    names.texts.set(host, [mine.record.value]);
    names.texts.set(mine.record.name, [theirs.record.value]);
    expect((await verify(mine.id)).code).toBe('DOMAIN_NOT_VERIFIED');
  });

  it.each(['failing', 'silent'] as const)(
    'tells a name system that is %s from a record that is not there',
    async (mood) => {
      const { id, record } = await added();
      names.texts.set(record.name, [record.value]);
      names.mood = mood;
      const answer = await tenants.house.ask(
        'mutation ($id: ID!) { verifyDomain(input: { id: $id }) { domain { id } } }',
        { id },
        { token: await tenants.tokenOf(...owner()) },
      );
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'DOMAIN_CHECK_UNAVAILABLE', retryable: true });
      names.mood = 'well';
      expect((await verify(id)).code).toBe('OK');
    },
  );

  it('gives a host to one organization, whoever proves it first, until it is removed there', async () => {
    const host = newHost();
    const mine = await proved(host);
    const theirs = await added(host, [tenants.other]);
    names.texts.set(theirs.record.name, [theirs.record.value]);
    expect((await verify(theirs.id, [tenants.other])).code).toBe('DOMAIN_TAKEN');
    expect((await remove(mine.id)).code).toBe('OK');
    expect(await handlesOf(host)).toEqual([]);
    expect((await verify(theirs.id, [tenants.other])).code).toBe('OK');
    expect(await handlesOf(host)).toEqual([{ organization_id: tenants.other.organizationId }]);
  });

  it('gives it to one of two who prove it at once', async () => {
    const host = newHost();
    const both = await Promise.all(
      [owner(), [tenants.other] as Who].map(async (who) => ({ who, ...(await added(host, who)) })),
    );
    names.texts.set(
      both[0]?.record.name ?? '',
      both.map(({ record }) => record.value),
    );
    const codes = await Promise.all(both.map(async ({ id, who }) => (await verify(id, who)).code));
    expect(codes.sort()).toEqual(['DOMAIN_TAKEN', 'OK']);
    expect(await handlesOf(host)).toHaveLength(1);
  });
});

describe('the primary domain', () => {
  it('is a verified one, and one at most', async () => {
    const [first, second, loose] = [await proved(), await proved(), await added()];
    expect((await prefer(first.id)).data?.domain).toMatchObject({ host: first.host, primary: true });
    expect((await prefer(second.id)).code).toBe('OK');
    expect((await prefer(loose.id)).code).toBe('DOMAIN_NOT_VERIFIED');
    expect((await listed()).filter(({ primary }) => primary).map(({ host }) => host)).toEqual([second.host]);
    const codes = await Promise.all([first, second, first, second].map(async ({ id }) => (await prefer(id)).code));
    expect(new Set(codes)).toEqual(new Set(['OK']));
    expect((await listed()).filter(({ primary }) => primary)).toHaveLength(1);
  });

  it('is none once it was removed, which is done once for a key', async () => {
    const { id } = await proved();
    await prefer(id);
    const key = { idempotencyKey: newId() };
    expect((await remove(id, owner(), key)).data).toEqual({ domainId: id, replayed: false });
    expect((await remove(id, owner(), key)).data).toEqual({ domainId: id, replayed: true });
    expect((await remove(id)).code).toBe('DOMAIN_UNKNOWN');
    expect((await listed()).filter(({ primary }) => primary)).toEqual([]);
  });

  it('is held to be verified, and one, by the database', async () => {
    const [first, second, loose] = [await proved(), await proved(), await added()];
    await prefer(first.id);
    const set = ({ host }: Domain) =>
      rows(
        'update organization_domains set is_primary = true where host = $1 and organization_id = $2',
        host,
        tenants.one.organizationId,
      );
    await expect(set(second)).rejects.toMatchObject({ code: '23505' });
    await expect(set(loose)).rejects.toMatchObject({ code: '23514' });
  });
});

describe('domains', () => {
  it.each(['ADMIN', 'MEMBER'] as const)(
    'are seen by an %s, who can change none and has no name system asked',
    async (role) => {
      const who: Who = [tenants.one, role];
      const domain = await added();
      expect(await listed(who)).toContainEqual(domain);
      expect((await add(newHost(), who)).code).toBe('FORBIDDEN');
      for (const deed of [verify, prefer, remove]) expect((await deed(domain.id, who)).code).toBe('FORBIDDEN');
      expect(names.asked(domain.record.name)).toBe(0);
      expect(await listed()).toContainEqual(domain);
    },
  );

  it('are nothing to another organization, and nobody', async () => {
    const domain = await proved();
    const other: Who = [tenants.other];
    for (const deed of [verify, prefer, remove]) {
      expect((await deed(domain.id, other)).code).toBe('DOMAIN_UNKNOWN');
      expect((await deed('x', other)).code).toBe('DOMAIN_UNKNOWN');
    }
    expect((await listed(other)).map(({ host }) => host)).not.toContain(domain.host);
    const nobody = await mutate(tenants.house, undefined, 'addDomain', { host: newHost(), kind: 'CUSTOM' }, 'replayed');
    expect(nobody.code).toBe('UNAUTHENTICATED');
  });

  it('are told of, from the first to the last', async () => {
    const { id, host } = await proved();
    await prefer(id);
    await remove(id);
    const facts = await rows(
      `select type, aggregate_version as version, data from events
       where organization_id = $1 and data ->> 'host' = $2 order by aggregate_version`,
      tenants.one.organizationId,
      host,
    );
    expect(facts).toEqual(
      ['domain.added', 'domain.verified', 'domain.primary-changed', 'domain.removed'].map((type, index) => ({
        type,
        version: index + 1,
        data: { host },
      })),
    );
    const audited = await rows(
      `select verb from audit_entries
       where table_name = 'organization_domains' and coalesce(after, before) ->> 'host' = $1
       order by epoch, transaction_id, log_position`,
      host,
    );
    expect(audited.map(({ verb }) => verb)).toEqual(['INSERT', 'UPDATE', 'UPDATE', 'DELETE']);
  });

  it('ask for a fresh proof where the organization does', async () => {
    const [ready, verified] = [await added(), await proved()];
    names.texts.set(ready.record.name, [ready.record.value]);
    const { organizationId, people } = tenants.one;
    await rows('update organization_settings set require_step_up = true where organization_id = $1', organizationId);
    await rows(`update sessions set proved_at = now() - interval '11 minutes' where id = $1`, people.OWNER.sessionId);
    const deeds = [() => add(newHost()), () => verify(ready.id), () => prefer(verified.id), () => remove(verified.id)];
    for (const deed of deeds) expect((await deed()).code).toBe('STEP_UP_REQUIRED');
    expect(names.asked(ready.record.name)).toBe(0);
    await rows('update sessions set proved_at = now() where id = $1', people.OWNER.sessionId);
    for (const deed of deeds) expect((await deed()).code).toBe('OK');
    await rows('update organization_settings set require_step_up = false where organization_id = $1', organizationId);
  });
});
