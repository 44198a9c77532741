import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { codeOf, enterHouse, newWallet, refresh, rowId, type SignedIn, sessionIdOf, sql } from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const VIEWER = '{ viewer { user { id } organization { id } role } organization { id } }';

function ask(token: string, query = VIEWER) {
  return house.ask(query, {}, { token });
}

async function codeFor({ accessToken }: SignedIn): Promise<string> {
  return codeOf(await ask(accessToken));
}

describe('signing out', () => {
  it('ends the session with the next statement, and its refresh token with it', async () => {
    const person = await enterHouse(house);
    expect(await codeFor(person)).toBe('OK');
    const answer = await ask(person.accessToken, 'mutation { signOut { signedOut } }');
    expect(answer).toMatchObject({ data: { signOut: { signedOut: true } }, errors: [] });
    expect(await ask(person.accessToken)).toMatchObject({ data: { viewer: null, organization: null } });
    expect(await codeFor(person)).toBe('UNAUTHENTICATED');
    expect((await refresh(house, person.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    expect(codeOf(await ask(person.accessToken, 'mutation { signOut { signedOut } }'))).toBe('UNAUTHENTICATED');
  });

  it('makes the rest of its own request nobody’s', async () => {
    const { accessToken } = await enterHouse(house);
    const document = `mutation {
      first: signOut { signedOut }
      second: signOut { signedOut }
    }`;
    expect(codeOf(await ask(accessToken, document))).toBe('UNAUTHENTICATED');
  });

  it('leaves other sessions of the user and of others as they are', async () => {
    const wallet = newWallet();
    const [one, other, stranger] = [
      await enterHouse(house, wallet),
      await enterHouse(house, wallet),
      await enterHouse(house),
    ];
    await ask(one.accessToken, 'mutation { signOut { signedOut } }');
    expect(await Promise.all([one, other, stranger].map(codeFor))).toEqual(['UNAUTHENTICATED', 'OK', 'OK']);
  });

  it('needs a session', async () => {
    expect(codeOf(await house.ask('mutation { signOut { signedOut } }'))).toBe('UNAUTHENTICATED');
  });
});

/** What an operator may do to somebody who is signed in, and how it is undone. */
const CHANGES: readonly [name: string, code: string, refreshed: string, change: string, back: string][] = [
  [
    'the session is ended',
    'UNAUTHENTICATED',
    'REFRESH_TOKEN_INVALID',
    'update sessions set ended_at = now() where id = $1',
    'update sessions set ended_at = null where id = $1',
  ],
  [
    'the session’s life is over',
    'UNAUTHENTICATED',
    'REFRESH_TOKEN_INVALID',
    'update sessions set expires_at = now() where id = $1',
    `update sessions set expires_at = now() + interval '1 day' where id = $1`,
  ],
  [
    'the user is disabled',
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
    `update users set status = 'DISABLED' where id = (select user_id from sessions where id = $1)`,
    `update users set status = 'ACTIVE' where id = (select user_id from sessions where id = $1)`,
  ],
  [
    'the user is deleted',
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
    'update users set deleted_at = now() where id = (select user_id from sessions where id = $1)',
    'update users set deleted_at = null where id = (select user_id from sessions where id = $1)',
  ],
  [
    'the member is removed',
    'MEMBERSHIP_ENDED',
    'MEMBERSHIP_ENDED',
    `update memberships set status = 'REMOVED' where user_id = (select user_id from sessions where id = $1)`,
    `update memberships set status = 'ACTIVE' where user_id = (select user_id from sessions where id = $1)`,
  ],
  [
    'the organization is suspended',
    'ORGANIZATION_SUSPENDED',
    'ORGANIZATION_SUSPENDED',
    `update organizations set status = 'SUSPENDED' where id = (select organization_id from sessions where id = $1)`,
    `update organizations set status = 'ACTIVE' where id = (select organization_id from sessions where id = $1)`,
  ],
  [
    'the organization is deleted',
    'MEMBERSHIP_ENDED',
    'MEMBERSHIP_ENDED',
    'update organizations set deleted_at = now() where id = (select organization_id from sessions where id = $1)',
    'update organizations set deleted_at = null where id = (select organization_id from sessions where id = $1)',
  ],
];

describe('a session whose token is still good', () => {
  it.each(CHANGES)('is refused with the very next query when %s', async (_name, code, refreshed, change, back) => {
    const [person, bystander] = [await enterHouse(house), await enterHouse(house)];
    expect(await codeFor(person)).toBe('OK');
    await sql(house, change, [sessionIdOf(person)]);
    expect(await ask(person.accessToken)).toMatchObject({ status: 200, data: { viewer: null, organization: null } });
    expect(await codeFor(person)).toBe(code);
    expect(codeOf(await ask(person.accessToken, 'mutation { signOut { signedOut } }'))).toBe(code);
    expect((await refresh(house, person.refreshToken)).code).toBe(refreshed);
    expect(await codeFor(bystander)).toBe('OK');
    await sql(house, back, [sessionIdOf(person)]);
    expect(await codeFor(person)).toBe('OK');
    // A refresh that was refused has spent nothing.
    expect((await refresh(house, person.refreshToken)).code).toBe('OK');
  });

  it('has the role that the database says now', async () => {
    const person = await enterHouse(house);
    expect(await ask(person.accessToken)).toMatchObject({ data: { viewer: { role: 'OWNER' } } });
    await sql(house, `update memberships set role = 'MEMBER' where user_id = $1`, [rowId(person.viewer.user.id)]);
    expect(await ask(person.accessToken)).toMatchObject({ data: { viewer: { role: 'MEMBER' } } });
  });
});

describe('a token of one organization', () => {
  it('never reaches another one, though its user be a member there', async () => {
    const [person, host] = [await enterHouse(house), await enterHouse(house)];
    const [own, other] = [person.viewer.organization.id, host.viewer.organization.id];
    const query = '{ viewer { organization { id } role } organization { id } }';
    const see = async () => (await ask(person.accessToken, query)).data;
    const alone = { viewer: { organization: { id: own }, role: 'OWNER' }, organization: { id: own } };
    expect(await see()).toEqual(alone);
    await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
      rowId(other),
      rowId(person.viewer.user.id),
    ]);
    expect(await see()).toEqual(alone);
    await sql(house, `update memberships set status = 'REMOVED' where organization_id = $1 and user_id = $2`, [
      rowId(own),
      rowId(person.viewer.user.id),
    ]);
    expect(await codeFor(person)).toBe('MEMBERSHIP_ENDED');
  });
});
