import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link } from './linker.ts';
import { enterOwnDomain } from './ownDomain.ts';
import { runIn, sceneOf } from './scenes.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
const wallet = newWallet();
/** Somebody with two wallets, a profile, a key and two organizations; and their session of the first one's domain. */
let person: SignedIn;
let bound: SignedIn;
let elsewhere: string;
beforeAll(async () => {
  house = await startTollhouse();
  person = await enterHouse(house, wallet);
  await link(house, person, newWallet());
  elsewhere = rowId((await enterHouse(house)).viewer.organization.id);
  await sql(
    house,
    `insert into memberships (organization_id, user_id, role, joined_at) values ($1, $2, 'MEMBER', now())`,
    [elsewhere, rowId(person.viewer.user.id)],
  );
  await sql(house, 'insert into user_profiles (user_id, preferences) values ($1, $2)', [
    rowId(person.viewer.user.id),
    {},
  ]);
  bound = await enterOwnDomain(house, person, wallet);
});
afterAll(() => house.stop());

const HASH = `decode(repeat('ab', 32), 'hex')`;
const MINE = 'user_id = current_user_id()';

/** What is a person's own; each takes one row at least where it is let through. */
const PERSONS: readonly (readonly [deed: string, statement: string])[] = [
  ['change one’s name', 'update users set display_name = display_name where id = current_user_id()'],
  ['change one’s picture', `update users set avatar_url = 'https://x.example/y' where id = current_user_id()`],
  ['change one’s profile', `update user_profiles set bio = 'x' where ${MINE}`],
  [
    'write one’s profile',
    `insert into user_profiles (user_id, preferences) values (current_user_id(), '{}')
     on conflict (user_id) do update set bio = 'x'`,
  ],
  ['prefer another wallet', `update identities set is_primary = is_primary where ${MINE}`],
  ['give up a wallet', `delete from identities where ${MINE} and not is_primary`],
  ['send a code', `select * from give_email_code('a@example.org', ${HASH}, 600, 3, ${HASH}, 3)`],
  ['ask for a ticket to merge', `select give_merge_ticket(${HASH}, 600)`],
  ['end all other sessions', 'select require_person()'],
  [
    'make an API key',
    `insert into api_keys (organization_id, id, kind, name, prefix, secret_hash, scopes, created_by_id, responsible_id)
     values (current_organization_id(), uuid_v7(), 'SERVICE', 'k', '0123456789abcdef', ${HASH}, '{events:read}',
       current_user_id(), current_user_id())`,
  ],
  ['delete oneself', `select * from delete_user('{}')`],
  ['delete the organization', `select * from delete_organization('a-slug', '{}')`],
  ['answer for an API key', 'select confirm_api_key(uuid_v7())'],
];

describe('the database', () => {
  it.each(PERSONS)('lets a bound session not %s, and one of the gateway’s own page do it', async (_, statement) => {
    expect((await runIn(house, sceneOf(bound), statement)).code).toBe('TH409');
    expect(await runIn(house, sceneOf(person), statement)).toMatchObject({ code: 'OK' });
  });

  it('lets a bound session enter no other organization, where another session is let in', async () => {
    const there = { organizationId: elsewhere };
    expect((await runIn(house, sceneOf(bound, there), 'select 1')).code).toBe('TH409');
    expect((await runIn(house, sceneOf(person, there), 'select 1')).code).toBe('OK');
    expect((await runIn(house, sceneOf(bound), 'select 1')).code).toBe('OK');
  });

  it.each([
    ['users', 1],
    ['identities', 1],
    ['sessions', 1],
    ['memberships', 1],
    ['organizations', 1],
    ['user_profiles', 0],
  ])('shows a bound session of %s only what is its organization’s or itself', async (table, count) => {
    const query = `select id from ${table}`;
    expect((await runIn(house, sceneOf(bound), query)).count).toBe(count);
    expect((await runIn(house, sceneOf(person), query)).count).toBeGreaterThan(table === 'users' ? 0 : count);
  });

  it('lets it end itself, and no other session', async () => {
    const end = `update sessions set ended_at = now(), end_reason = 'x' where ended_at is null returning id`;
    expect((await runIn(house, sceneOf(bound), end)).rows).toEqual([{ id: sessionIdOf(bound) }]);
    expect((await runIn(house, sceneOf(person), end)).count).toBe(2);
  });

  it('lets it write what is its organization’s', async () => {
    const statement = `update organizations set name = 'Tea' where id = current_organization_id()`;
    expect(await runIn(house, sceneOf(bound), statement)).toMatchObject({ code: 'OK', count: 1 });
  });

  it('shows nothing of a person’s own where nobody said who the person is', async () => {
    const scene = sceneOf(person);
    const forget = `select set_config('app.person_id', '', true)`;
    const { code, count } = await runIn(house, scene, forget, `select from identities where id <> '${newId()}'`);
    expect([code, count]).toEqual(['OK', 1]);
    expect((await runIn(house, scene, forget, 'select from user_profiles')).count).toBe(0);
  });
});
