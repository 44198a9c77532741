import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { during } from '../identity/during.ts';
import { sql } from '../identity/visitor.ts';
import { FULL } from '../support/scale.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { changeKey, createKey } from './keyHolder.ts';
import { membershipOf, removeMember, tokenOf } from './memberChanges.ts';

const ROUNDS = FULL ? 60 : 6;

let house: TestTollhouse;
let tenant: Tenant;
let owner: string;
let admin: string;
beforeAll(async () => {
  house = await startTollhouse();
  [tenant] = (await seedTenants(house.database.adminUrl, { tenants: 1 })).tenants as [Tenant];
  owner = await tokenOf(house, tenant, 'OWNER');
  admin = await tokenOf(house, tenant, 'ADMIN');
});
afterAll(() => house.stop());

const SET = 'update memberships set status = $3::membership_status where organization_id = $1 and user_id = $2';
const placeOf = (status: string, role: 'ADMIN' | 'OWNER' = 'ADMIN'): string[] => [
  tenant.organizationId,
  tenant.people[role].userId,
  status,
];
const bringBack = (): Promise<unknown> => sql(house, SET, placeOf('ACTIVE'));

/** The keys that somebody answers for. */
const keysOf = (role: 'ADMIN' | 'OWNER'): Promise<unknown[]> =>
  sql(
    house,
    'select from api_keys where organization_id = $1 and responsible_id = $2 and revoked_at is null',
    placeOf('', role).slice(0, 2),
  );

describe('whoever is being removed', () => {
  it.each(['PERSONAL', 'SERVICE'])('makes no %s key that would revive when they come back', async (kind) => {
    const made = await during(
      house,
      (client) => client.query(SET, placeOf('REMOVED')),
      () => createKey(house, admin, { kind }),
    );
    expect(made.code).toBe('MEMBERSHIP_ENDED');
    await bringBack();
    expect(await keysOf('ADMIN')).toEqual([]);
  });

  it('and at that instant makes keys, answers for none when they come back', async () => {
    const id = await membershipOf(house, tenant, tenant.people.ADMIN.userId);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [removed, ...made] = await Promise.all([
        removeMember(house, owner, { id }),
        ...['PERSONAL', 'SERVICE', 'PERSONAL'].map((kind) => createKey(house, admin, { kind })),
      ]);
      expect(removed.code).toBe('OK');
      // a key may have been made, and its maker be gone before it was read for them
      for (const { code } of made) expect(['OK', 'MEMBERSHIP_ENDED', 'ANSWER_LOST']).toContain(code);
      await bringBack();
      expect(await keysOf('ADMIN')).toEqual([]);
    }
  });

  it('answers for no key that they confirm at that instant', async () => {
    const { data } = await createKey(house, admin);
    const id = data?.apiKey.id ?? '';
    await sql(house, 'update api_keys set responsible_id = null where revoked_at is null');
    const confirmed = await during(
      house,
      (client) => client.query(SET, placeOf('REMOVED', 'OWNER')),
      () => changeKey(house, owner, 'confirmApiKey', { id }),
    );
    expect(confirmed.code).not.toBe('OK');
    await sql(house, SET, placeOf('ACTIVE', 'OWNER'));
    expect(await keysOf('OWNER')).toEqual([]);
    expect((await changeKey(house, owner, 'confirmApiKey', { id })).code).toBe('OK');
    expect(await keysOf('OWNER')).toHaveLength(1);
  });
});
