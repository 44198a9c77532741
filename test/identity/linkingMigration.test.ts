import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, rollback } from '../../src/database/migrations.ts';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { seedTenants, type Tenant } from '../support/tenants.ts';

const LINKING = '20261126120000_linking';
/** How many migrations are undone until nobody could link a wallet. */
const STEPS = readdirSync(join(import.meta.dirname, '../../prisma/migrations')).filter(
  (name) => /^\d/.test(name) && name >= LINKING,
).length;

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return withSession(database.adminUrl, async (client) => (await client.query(text, values)).rows);
}

describe('people who were there before wallets could be linked', () => {
  it('prefer their oldest wallet, and their sessions were proved when they began', async () => {
    const { tenants } = await seedTenants(database.adminUrl, { tenants: 1 });
    const { people } = tenants[0] as Tenant;
    await rollback(database.ownerUrl, STEPS);
    await sql(
      `insert into identities (user_id, kind, issuer, subject, address, wallet_kind, wallet_source, created_at)
       values ($1, 'WALLET', 'eip155', $2, $2, 'EOA', 'EXTERNAL', now() - interval '1 day')`,
      [people.OWNER.userId, `0x${'3'.repeat(40)}`],
    );
    await sql(`update sessions set created_at = now() - interval '2 days'`);
    await migrate(database.ownerUrl);
    const primary = await sql('select user_id, address from identities where is_primary order by address');
    expect(primary).toHaveLength(3);
    expect(primary).toContainEqual({ user_id: people.OWNER.userId, address: `0x${'3'.repeat(40)}` });
    expect(await sql('select distinct proved_at = created_at as same from sessions')).toEqual([{ same: true }]);
  });

  it('lose the sessions of wallets that were unlinked since, when that is taken back', async () => {
    const { tenants } = await seedTenants(database.adminUrl, { tenants: 1 });
    const { OWNER, ADMIN } = (tenants[0] as Tenant).people;
    await sql('delete from identities where id = $1', [OWNER.identityId]);
    await rollback(database.ownerUrl, STEPS);
    const sessions = await sql('select id from sessions');
    expect(sessions).toContainEqual({ id: ADMIN.sessionId });
    expect(sessions).not.toContainEqual({ id: OWNER.sessionId });
  });
});
