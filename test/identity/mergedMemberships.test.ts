import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { join, merge, ticketFor } from './merger.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

/** What says which row it is and when it was written, and nothing of the membership. */
const OF_THE_ROW = ['id', 'user_id', 'created_at', 'updated_at'];

const userOf = ({ viewer }: SignedIn): string => rowId(viewer.user.id);

async function placeOf(person: SignedIn, organizationId: string): Promise<Record<string, unknown>> {
  const [row] = await sql(
    house,
    'select to_jsonb(m) - $3::text[] as row from memberships m where user_id = $1 and organization_id = $2',
    [userOf(person), rowId(organizationId), OF_THE_ROW],
  );
  return row?.row as Record<string, unknown>;
}

function change(person: SignedIn, organizationId: string, set: string): Promise<unknown> {
  return sql(house, `update memberships set ${set} where user_id = $1 and organization_id = $2`, [
    userOf(person),
    rowId(organizationId),
  ]);
}

interface Merging {
  readonly older: SignedIn;
  readonly younger: SignedIn;
  /** Organizations that others own. */
  readonly places: readonly [string, string];
  /** Who owns the first of them. */
  readonly owner: SignedIn;
  /** Makes the two one. */
  readonly merge: () => Promise<void>;
}

async function openMerging(): Promise<Merging> {
  const wallet = newWallet();
  const [older, younger] = [await enterHouse(house), await enterHouse(house, wallet)];
  const [one, other] = [await enterHouse(house), await enterHouse(house)];
  return {
    older,
    younger,
    owner: one,
    places: [one.viewer.organization.id, other.viewer.organization.id],
    merge: async () => {
      expect((await merge(house, older, await ticketFor(house, older, wallet))).code).toBe('OK');
    },
  };
}

describe('a membership that comes with a merge', () => {
  it('brings all of its columns along, whichever there are', async () => {
    const { older, younger, owner, places, merge: makeOne } = await openMerging();
    const [goesOn, isOver] = places;
    for (const place of places) {
      await join(house, younger, place, 'MEMBER');
      const [role] = await sql(
        house,
        `insert into roles (organization_id, name, permissions) values ($1, 'Cashier', '{payments:read}') returning id`,
        [rowId(place)],
      );
      const words = `job_title = 'Treasurer', department = 'Money', role_id = '${role?.id}'`;
      await change(younger, place, `joined_at = '2020-01-02', ${words}`);
    }
    await change(younger, goesOn, `invited_by_id = '${userOf(owner)}'`);
    await change(younger, isOver, `status = 'REMOVED'`);
    const before = [await placeOf(younger, goesOn), await placeOf(younger, isOver)] as const;
    // a column that is new has to be given a value above, and to be carried along by merge_memberships
    const said = before.map((row) => Object.keys(row).filter((column) => row[column] !== null));
    const [{ columns } = { columns: [] }] = await sql(
      house,
      `select array_agg(attname::text) as columns from pg_attribute
       where attrelid = 'memberships'::regclass and attnum > 0 and not attisdropped and attname <> all ($1)`,
      [OF_THE_ROW],
    );
    expect([...new Set(said.flat())].sort()).toEqual([...(columns as string[])].sort());

    await makeOne();
    expect([await placeOf(older, goesOn), await placeOf(older, isOver)]).toEqual(before);
    expect(await placeOf(younger, goesOn)).toMatchObject({ status: 'LEFT', job_title: 'Treasurer' });
  });

  it('says what the survivor’s own, that goes on, does not', async () => {
    const { older, younger, places, merge: makeOne } = await openMerging();
    for (const place of places) {
      await join(house, older, place, 'MEMBER');
      await join(house, younger, place, 'ADMIN');
      await change(younger, place, `joined_at = '2020-01-02', job_title = 'Treasurer', department = 'Money'`);
      // nobody is said to have invited themselves
      await change(younger, place, `invited_by_id = '${userOf(older)}'`);
    }
    await change(older, places[0], `job_title = 'Cook'`);
    await makeOne();
    const joined = { role: 'MEMBER', status: 'ACTIVE', left_at: null, department: 'Money', invited_by_id: null };
    expect(await placeOf(older, places[0])).toMatchObject({ ...joined, job_title: 'Cook' });
    expect(await placeOf(older, places[1])).toMatchObject({ ...joined, job_title: 'Treasurer' });
    expect((await placeOf(older, places[0])).joined_at).toContain('2020-01-02');
  });

  it('stands above one of the survivor’s that is over, and one that is over changes nothing', async () => {
    const { older, younger, places, merge: makeOne } = await openMerging();
    const [returned, stayed] = places;
    for (const place of places) {
      await join(house, older, place, 'MEMBER');
      await change(older, place, `job_title = 'Cook'`);
      await join(house, younger, place, 'ADMIN');
      await change(younger, place, `job_title = 'Treasurer', department = 'Money'`);
    }
    await change(older, returned, `status = 'LEFT'`);
    await change(younger, stayed, `status = 'LEFT'`);
    const before = await placeOf(older, stayed);
    await makeOne();
    expect(await placeOf(older, returned)).toMatchObject({
      role: 'ADMIN',
      status: 'ACTIVE',
      left_at: null,
      job_title: 'Treasurer',
      department: 'Money',
    });
    expect(await placeOf(older, stayed)).toEqual(before);
  });

  it('alone says when it ended: whoever else writes one says nothing of that', async () => {
    const [owner, guest] = [await enterHouse(house), await enterHouse(house)];
    await sql(
      house,
      `insert into memberships (organization_id, user_id, role, status, left_at)
       values ($1, $2, 'MEMBER', 'LEFT', '2020-01-02')`,
      [rowId(owner.viewer.organization.id), userOf(guest)],
    );
    expect((await placeOf(guest, owner.viewer.organization.id)).left_at).not.toContain('2020-01-02');
  });
});
