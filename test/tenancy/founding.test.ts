import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutate, type Outcome } from '../identity/linker.ts';
import { enterHouse, rowId, type SignedIn } from '../identity/visitor.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { adminSql } from './memberChanges.ts';

let house: TestTollhouse;
let person: SignedIn;

beforeAll(async () => {
  house = await startTollhouse();
  person = await enterHouse(house);
});
afterAll(() => house.stop());

interface Made {
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string };
  readonly replayed: boolean;
}

function found(input: object, token: string | undefined = person.accessToken): Promise<Outcome<Made>> {
  return mutate<Made>(house, token, 'createOrganization', input, 'organization { id name slug } replayed');
}

describe('createOrganization', () => {
  it('makes one that the viewer owns, whole, and leaves the session where it is', async () => {
    const slug = `tea-${randomBytes(5).toString('hex')}`;
    const { code, data } = await found({ name: 'Tea house', slug });
    expect(code).toBe('OK');
    expect(data?.organization).toMatchObject({ name: 'Tea house', slug });
    const id = rowId(data?.organization.id ?? '');
    const parts = await adminSql(
      house,
      `select role, m.status, joined_at is not null as joined, s.require_step_up, c.config
       from memberships m
       join organization_settings s using (organization_id)
       join store_configurations c using (organization_id)
       where organization_id = $1 and user_id = $2`,
      [id, rowId(person.viewer.user.id)],
    );
    expect(parts).toEqual([{ role: 'OWNER', status: 'ACTIVE', joined: true, require_step_up: false, config: {} }]);
    const told = await adminSql(house, 'select type, actor, data from events where organization_id = $1', [id]);
    const actor = `user:${rowId(person.viewer.user.id)}`;
    expect(told).toEqual([{ type: 'organization.created', actor, data: { name: 'Tea house' } }]);
    const seen = await house.ask<{ viewer: { organization: { id: string }; memberships: unknown[] } }>(
      '{ viewer { organization { id } memberships { role organization { name } } } }',
      {},
      { token: person.accessToken },
    );
    expect(seen.data?.viewer.organization.id).toBe(person.viewer.organization.id);
    expect(seen.data?.viewer.memberships).toContainEqual({ role: 'OWNER', organization: { name: 'Tea house' } });
    const there = await house.ask<{ switchOrganization: { viewer: { organization: { name: string } } } }>(
      `mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { viewer { organization { name } } } }`,
      { id: data?.organization.id },
      { token: person.accessToken },
    );
    expect(there.data?.switchOrganization.viewer.organization.name).toBe('Tea house');
  });

  it('gives a slug to one that has none', async () => {
    expect((await found({ name: 'No slug' })).data?.organization.slug).toMatch(/^org-[0-9a-f]{10}$/);
  });

  it.each([
    [{ name: '' }, 'BAD_USER_INPUT'],
    [{ name: 'x'.repeat(101) }, 'BAD_USER_INPUT'],
    [{ name: 'x', slug: 'admin' }, 'BAD_USER_INPUT'],
    [{ name: 'x', slug: 'Not A Slug' }, 'BAD_USER_INPUT'],
  ])('refuses %j', async (input, code) => {
    expect((await found(input)).code).toBe(code);
  });

  it('refuses a slug that is taken, and makes nothing', async () => {
    const slug = `tea-${randomBytes(5).toString('hex')}`;
    expect((await found({ name: 'First', slug })).code).toBe('OK');
    expect((await found({ name: 'Second', slug })).code).toBe('SLUG_TAKEN');
    expect(await adminSql(house, `select from organizations where name = 'Second'`)).toEqual([]);
  });

  it('is done once under a key', async () => {
    const input = { name: 'Once', idempotencyKey: randomBytes(16).toString('hex') };
    const [first, again] = [await found(input), await found(input)];
    expect(again.data).toEqual({ ...first.data, replayed: true });
    expect((await found({ ...input, name: 'Twice' })).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('is for whoever is signed in, and not for a session that is good for one organization alone', async () => {
    expect((await found({ name: 'x' }, '')).code).toBe('UNAUTHENTICATED');
    const bound = await enterHouse(house);
    const organizationId = rowId(bound.viewer.organization.id);
    await adminSql(
      house,
      `with added as (
         insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
         values ($1, 'CUSTOM', $2, $3, now()) returning id
       )
       update sessions set domain_id = added.id from added where sessions.organization_id = $1`,
      [organizationId, `x${randomBytes(6).toString('hex')}.com`, randomBytes(16).toString('hex')],
    );
    expect((await found({ name: 'Bound' }, bound.accessToken)).code).toBe('SESSION_BOUND');
    expect(await adminSql(house, `select from organizations where name = 'Bound'`)).toEqual([]);
  });
});
