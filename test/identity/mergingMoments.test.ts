import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedTenants } from '../support/tenants.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { during } from './during.ts';
import { mutate } from './linker.ts';
import { join, merge, ticketFor } from './merger.ts';
import { enterHouse, newWallet, OVERTAKEN, rowId, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const ROUNDS = 10;

const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

const MOVED = 'update identities set user_id = $2, is_primary = false where user_id = $1';

describe('switching', () => {
  const askSwitch = (person: SignedIn, organizationId: string) =>
    mutate(house, person.accessToken, 'switchOrganization', { organizationId }, 'isNewUser');

  async function enterTwo(): Promise<{ person: SignedIn; place: string; others: ReturnType<typeof newWallet> }> {
    const others = newWallet();
    const [older, person] = [await enterHouse(house, others), await enterHouse(house)];
    const place = older.viewer.organization.id;
    await join(house, person, place, 'MEMBER');
    return { person, place, others };
  }

  it('while the wallet becomes another user’s finds that the session is over', async () => {
    const { person, place, others } = await enterTwo();
    const other = await enterHouse(house, others);
    const late = await during(
      house,
      (client) => client.query(MOVED, [userOf(person), userOf(other)]),
      () => askSwitch(person, place),
    );
    expect(late.code).toBe('UNAUTHENTICATED');
    const alive = await sql(house, 'select from sessions where user_id = $1 and root_id is not null', [userOf(person)]);
    expect(alive).toEqual([]);
  });

  it('and merging at one instant answer as if one came after the other', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { person, place, others } = await enterTwo();
      const ticket = await ticketFor(house, person, others);
      const [merged, ...switched] = await Promise.all([
        merge(house, person, ticket),
        ...[1, 2, 3, 4].map(() => askSwitch(person, place)),
      ]);
      expect(merged.code).toBe('OK');
      for (const { code } of switched) expect([...OVERTAKEN, 'ORGANIZATION_NOT_JOINED']).toContain(code);
      const alive = await sql(house, 'select from sessions where user_id = $1 and ended_at is null', [userOf(person)]);
      expect(alive).toEqual([]);
    }
  });
});

describe('a payment link that is being made', () => {
  const copyLink = (organizationId: string, maker: string): Promise<unknown> =>
    sql(
      house,
      `insert into payment_links (organization_id, slug, title, order_lifetime_minutes, created_by_id)
       select $1, md5(random()::text), 'Tea', 60, $2`,
      [organizationId, maker],
    );

  it('while its maker becomes another user does not come to be, and is made in peace', async () => {
    const { tenants } = await seedTenants(house.database.adminUrl, { tenants: 1, links: 1 });
    const { organizationId, people } = tenants[0] as (typeof tenants)[number];
    const [survivor, merged] = [people.OWNER.userId, people.ADMIN.userId];
    await copyLink(organizationId, merged);
    const late = during(
      house,
      async (client) => {
        // as merge_users does it: whoever makes a link is waited for, and then waits
        await client.query('select from memberships where user_id = $1 for update', [merged]);
        await client.query('update users set merged_into_id = $2 where id = $1', [merged, survivor]);
      },
      () => copyLink(organizationId, merged),
    );
    await expect(late).rejects.toMatchObject({ code: 'TH401' });
    await expect(copyLink(organizationId, merged)).rejects.toMatchObject({ code: 'TH401' });
    await copyLink(organizationId, survivor);
  });
});
