import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FRESH_SECONDS } from '../../src/identity/model.ts';
import { makeStale } from '../identity/linker.ts';
import { runIn, sceneOf } from '../identity/scenes.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from '../identity/visitor.ts';
import { seedTenants } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';

let house: TestTollhouse;
let person: SignedIn;
const wallet = newWallet();
beforeAll(async () => {
  house = await startTollhouse();
  await seedTenants(house.database.adminUrl, { tenants: 0 });
  const { viewer } = await enterHouse(house, wallet);
  const organizationId = rowId(viewer.organization.id);
  const guest = await enterHouse(house);
  const values = [organizationId, rowId(guest.viewer.user.id)];
  await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, values);
  await sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token)
     values ($1, 'CUSTOM', 'tea.example.com', md5('x'))`,
    [organizationId],
  );
  await sql(
    house,
    `insert into api_keys (organization_id, id, kind, name, prefix, secret_hash, scopes, created_by_id, responsible_id)
     values ($1, uuid_v7(), 'SERVICE', 'k', repeat('0', 16), sha256('x'), '{events:read}', $2, $2)`,
    values,
  );
});
beforeEach(async () => {
  person = await enterHouse(house, wallet);
  await require(true);
});
afterAll(() => house.stop());

/** As an administrator would, whom nobody asks for a proof. */
const require = (on: boolean) => sql(house, 'update organization_settings set require_step_up = $1', [on]);
const codeOf = async (statement: string): Promise<string> => (await runIn(house, sceneOf(person), statement)).code;

const LINK = `insert into payment_links (organization_id, id, slug, title, created_by_id)
  values (current_organization_id(), uuid_v7(), 'slug-of-nobody', 'Tea', current_user_id())`;
/** Whatever a command calls dangerous, as a statement of the table that it writes. */
const DANGEROUS: readonly string[] = [
  'update organization_settings set require_step_up = false',
  `update organizations set name = 'Tea' where id = current_organization_id()`,
  `update store_configurations set theme = '{}'`,
  `insert into organization_domains (organization_id, id, kind, host, verification_token)
   values (current_organization_id(), uuid_v7(), 'CUSTOM', 'new.example.com', md5('y'))`,
  'update organization_domains set is_primary = is_primary',
  'delete from organization_domains',
  `update memberships set role = 'ADMIN' where role = 'MEMBER'`,
  `update memberships set status = 'REMOVED' where role = 'MEMBER'`,
  LINK,
  `insert into payment_link_accepts (organization_id, payment_link_id, position, asset_id, units, pay_to)
  select organization_id, payment_link_id, position, asset_id, units, pay_to from payment_link_accepts`,
  `update api_keys set allowed_origins = '{}'`,
];

describe('where an organization asks for a fresh proof, its tables ask for it', () => {
  it.each(DANGEROUS)('%s', async (statement) => {
    expect(await codeOf(statement)).toBe('OK');
    await makeStale(house, person);
    expect(await codeOf(statement)).toBe('TH428');
    await require(false);
    expect(await codeOf(statement)).toBe('OK');
  });

  it('and let a key be revoked, and everything be read, without one', async () => {
    await makeStale(house, person);
    expect(await codeOf('update api_keys set revoked_at = now()')).toBe('OK');
    expect(await codeOf('select id from organization_domains')).toBe('OK');
  });

  it('for as long as the commands do', async () => {
    const [row] = await sql(house, `select prosrc from pg_proc where proname = 'check_step_up'`);
    expect(row?.prosrc).toContain(`require_step_up(${FRESH_SECONDS})`);
  });
});
