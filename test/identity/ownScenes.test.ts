import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESERVED_USER_NAMES } from '../../src/identity/model.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link, makeStale } from './linker.ts';
import { runIn, sceneOf } from './scenes.ts';
import { enterHouse, newWallet, type SignedIn, sql } from './visitor.ts';

let house: TestTollhouse;
/** Somebody with one wallet, and somebody with two. */
let single: SignedIn;
let double: SignedIn;
beforeAll(async () => {
  house = await startTollhouse();
  single = await enterHouse(house);
  double = await enterHouse(house);
  await link(house, double, newWallet());
});
afterAll(() => house.stop());

const REFUSED = '23514';
const MINE = 'user_id = current_user_id()';
const codeIn = async (who: SignedIn, ...statements: string[]): Promise<string> =>
  (await runIn(house, sceneOf(who), ...statements)).code;

/** What somebody may do to their own wallets by raw statements, whichever command forgot to ask. */
const WALLETS: readonly (readonly [deed: string, who: () => SignedIn, code: string, statements: readonly string[]])[] =
  [
    ['give up the last wallet', () => single, REFUSED, [`delete from identities where ${MINE}`]],
    ['give up all wallets', () => double, REFUSED, [`delete from identities where ${MINE}`]],
    ['give up the preferred one alone', () => double, REFUSED, [`delete from identities where ${MINE} and is_primary`]],
    ['give up another one', () => double, 'OK', [`delete from identities where ${MINE} and not is_primary`]],
    [
      'give up the preferred one, and prefer the other',
      () => double,
      'OK',
      [`delete from identities where ${MINE} and is_primary`, `update identities set is_primary = true where ${MINE}`],
    ],
    ['prefer none', () => double, REFUSED, [`update identities set is_primary = false where ${MINE}`]],
    [
      'prefer the other',
      () => double,
      'OK',
      [
        `update identities set is_primary = false where ${MINE}`,
        `update identities set is_primary = true where id = (select max(id::text)::uuid from identities where ${MINE})`,
      ],
    ],
    ['let a version rise by two', () => single, REFUSED, [`update identities set version = version + 2 where ${MINE}`]],
    ['let a version fall', () => single, REFUSED, [`update identities set version = version - 1 where ${MINE}`]],
    ['let a version rise by one', () => single, 'OK', [`update identities set version = version + 1 where ${MINE}`]],
  ];

describe('the database, asked by a member’s own scene', () => {
  it.each(WALLETS)('to %s', async (_deed, who, code, statements) => {
    expect(await codeIn(who(), ...statements)).toBe(code);
  });

  it.each([
    ['delete the organization', `select * from delete_organization('a-slug', '{}')`],
    ['answer for a key', 'select confirm_api_key(uuid_v7())'],
    ['delete oneself', `select * from delete_user('{}')`],
    ['merge', `select * from merge_users(sha256('x'), '{}')`],
  ])('to %s, does it only for who has just proved to be themselves', async (_deed, statement) => {
    const stale = await enterHouse(house);
    expect(await codeIn(stale, statement)).toBe('OK');
    await makeStale(house, stale);
    expect(await codeIn(stale, statement)).toBe('TH428');
  });

  it('has no user name that is reserved, and the others', async () => {
    const name = (userName: string): string =>
      `insert into user_profiles (user_id, user_name, preferences) values (current_user_id(), '${userName}', '{}')`;
    expect(await codeIn(single, name('admin'))).toBe(REFUSED);
    expect(await codeIn(single, name('admiral'))).toBe('OK');
  });

  it('reserves the user names that the gateway reserves', async () => {
    const [row] = await sql(
      house,
      `select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'user_profiles_user_name_reserved'`,
    );
    const [, names = ''] = /'([^']+)'/.exec(String(row?.text)) ?? [];
    expect(names.split(' ').sort()).toEqual([...RESERVED_USER_NAMES].sort());
  });
});
