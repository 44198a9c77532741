import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import {
  codeOf,
  enterHouse,
  newWallet,
  refresh,
  rowId,
  type SignedIn,
  sessionIdOf,
  sql,
  type Wallet,
} from './visitor.ts';

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse();
});
afterAll(() => house.stop());

const SWITCH = `mutation ($input: SwitchOrganizationInput!) {
  switchOrganization(input: $input) {
    accessToken refreshToken expiresAt isNewUser viewer { user { id } organization { id } role }
  }
}`;

function ask<Data = Record<string, unknown>>({ accessToken }: SignedIn, query: string, variables = {}) {
  return house.ask<Data>(query, variables, { token: accessToken });
}

async function askSwitch(person: SignedIn, organizationId: string) {
  const answer = await ask<{ switchOrganization: SignedIn }>(person, SWITCH, { input: { organizationId } });
  return { code: codeOf(answer), answer, signedIn: answer.data?.switchOrganization ?? null };
}

async function switchTo(person: SignedIn, organizationId: string): Promise<SignedIn> {
  const { code, signedIn } = await askSwitch(person, organizationId);
  if (!signedIn) throw new Error(`Switching failed: ${code}`);
  return signedIn;
}

async function placeOf(person: SignedIn): Promise<string> {
  const answer = await ask<{ viewer: SignedIn['viewer'] | null }>(person, '{ viewer { organization { id } } }');
  return answer.data?.viewer?.organization.id ?? codeOf(answer);
}

async function renew(person: SignedIn): Promise<SignedIn> {
  const { code, signedIn } = await refresh(house, person.refreshToken);
  if (!signedIn) throw new Error(`Refreshing failed: ${code}`);
  return signedIn;
}

/** Somebody with an organization of their own, who is a member of another one, too. */
async function enterTwo(wallet: Wallet = newWallet()): Promise<{ person: SignedIn; own: string; other: string }> {
  const [person, host] = [await enterHouse(house, wallet), await enterHouse(house)];
  const [own, other] = [person.viewer.organization.id, host.viewer.organization.id];
  await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
    rowId(other),
    rowId(person.viewer.user.id),
  ]);
  return { person, own, other };
}

describe('switching', () => {
  it('gives tokens of the other organization, and leaves those that there were where they are', async () => {
    const { person, own, other } = await enterTwo();
    const switched = await switchTo(person, other);
    expect(switched).toMatchObject({
      isNewUser: false,
      viewer: { user: person.viewer.user, organization: { id: other }, role: 'MEMBER' },
    });
    expect([await placeOf(person), await placeOf(switched)]).toEqual([own, other]);
    const [again, there] = [await renew(person), await renew(switched)];
    expect([await placeOf(again), await placeOf(there)]).toEqual([own, other]);
    expect([again.viewer.organization.id, there.viewer.organization.id]).toEqual([own, other]);
    expect(await placeOf(await switchTo(there, own))).toBe(own);
  });

  it('lists both sessions, each where it works, and lengthens neither', async () => {
    const { person, own, other } = await enterTwo();
    const switched = await switchTo(person, other);
    const query = '{ viewer { sessions { edges { node { isCurrent expiresAt organization { id } } } } } }';
    const nodes = async (one: SignedIn) =>
      (
        await ask<{ viewer: { sessions: { edges: { node: { expiresAt: string } }[] } } }>(one, query)
      ).data?.viewer.sessions.edges.map(({ node }) => node) ?? [];
    const listed = await nodes(switched);
    expect(listed).toMatchObject([
      { isCurrent: true, organization: { id: other } },
      { isCurrent: false, organization: { id: own } },
    ]);
    expect(new Set(listed.map(({ expiresAt }) => expiresAt)).size).toBe(1);
    expect(await nodes(person)).toMatchObject([{ isCurrent: false }, { isCurrent: true }]);
  });

  it('makes the rest of its own request the other organization’s', async () => {
    const { person, other } = await enterTwo();
    const document = `mutation ($id: ID!) {
      switchOrganization(input: { organizationId: $id }) { viewer { organization { id } } }
      endSession(input: { id: "x" }) { ended }
    }`;
    const answer = await ask(person, document, { id: other });
    expect(answer.data).toMatchObject({ switchOrganization: { viewer: { organization: { id: other } } } });
  });

  it('is no fresh proof of a wallet, not even when the switched session stands alone', async () => {
    const { person, other } = await enterTwo();
    await sql(house, `update sessions set proved_at = proved_at - interval '1 hour' where id = $1`, [
      sessionIdOf(person),
    ]);
    const switched = await switchTo(person, other);
    expect(codeOf(await ask(switched, 'mutation { endOtherSessions { replayed } }'))).toBe('OK');
    const [row] = await sql(
      house,
      `select root_id, proved_at < now() - interval '59 min' as old from sessions where id = $1`,
      [sessionIdOf(switched)],
    );
    expect(row).toEqual({ root_id: null, old: true });
  });
});

describe('switching is refused', () => {
  it('alike for an organization of others, for none at all and for what is no organization', async () => {
    const { person, own } = await enterTwo();
    const stranger = await enterHouse(house);
    const ids = [
      stranger.viewer.organization.id,
      encodeGlobalId('Organization', newId()),
      encodeGlobalId('User', rowId(own)),
      rowId(own),
      'x',
      '',
    ];
    const answers = await Promise.all(ids.map((id) => askSwitch(person, id)));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['ORGANIZATION_NOT_JOINED']));
    const told = answers.map(({ answer }) => JSON.stringify(answer.errors).replace(/"requestId":"[^"]+"/, ''));
    expect(new Set(told).size).toBe(1);
    expect(await placeOf(person)).toBe(own);
  });

  it.each(['INVITED', 'LEFT', 'REMOVED'])('to whose membership is %s', async (status) => {
    const { person, other } = await enterTwo();
    await sql(
      house,
      'update memberships set status = $3::membership_status where organization_id = $1 and user_id = $2',
      [rowId(other), rowId(person.viewer.user.id), status],
    );
    expect((await askSwitch(person, other)).code).toBe('ORGANIZATION_NOT_JOINED');
  });

  it('for a deleted organization like for one that never was, and for a suspended one by its name', async () => {
    const { person, other } = await enterTwo();
    await sql(house, 'update organizations set deleted_at = now() where id = $1', [rowId(other)]);
    expect((await askSwitch(person, other)).code).toBe('ORGANIZATION_NOT_JOINED');
    await sql(house, `update organizations set deleted_at = null, status = 'SUSPENDED' where id = $1`, [rowId(other)]);
    expect((await askSwitch(person, other)).code).toBe('ORGANIZATION_SUSPENDED');
    await sql(house, `update organizations set status = 'ACTIVE' where id = $1`, [rowId(other)]);
    expect((await askSwitch(person, other)).code).toBe('OK');
  });

  it('to nobody, and to whom has signed out', async () => {
    const { person, other } = await enterTwo();
    const variables = { input: { organizationId: other } };
    expect(codeOf(await house.ask(SWITCH, variables))).toBe('UNAUTHENTICATED');
    await ask(person, 'mutation { signOut { signedOut } }');
    expect((await askSwitch(person, other)).code).toBe('UNAUTHENTICATED');
  });
});

describe('a session that was switched to', () => {
  it('is refused with the next statement when its member is removed there, and the other goes on', async () => {
    const { person, own, other } = await enterTwo();
    const switched = await switchTo(person, other);
    await sql(house, `update memberships set status = 'REMOVED' where organization_id = $1 and user_id = $2`, [
      rowId(other),
      rowId(person.viewer.user.id),
    ]);
    expect([await placeOf(person), await placeOf(switched)]).toEqual([own, 'MEMBERSHIP_ENDED']);
    expect((await refresh(house, switched.refreshToken)).code).toBe('MEMBERSHIP_ENDED');
  });

  it.each<[string, 'person' | 'switched']>([
    ['the one that it was switched from', 'person'],
    ['itself', 'switched'],
  ])('ends with all of its sign-in when %s signs out', async (_name, who) => {
    const wallet = newWallet();
    const { person, other } = await enterTwo(wallet);
    const elsewhere = await enterHouse(house, wallet);
    const [switched, twice] = [await switchTo(person, other), await switchTo(person, other)];
    await ask({ person, switched }[who], 'mutation { signOut { signedOut } }');
    const places = await Promise.all([person, switched, twice].map(placeOf));
    expect(places).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
    for (const { refreshToken } of [person, switched, twice]) {
      expect((await refresh(house, refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    }
    expect(await placeOf(elsewhere)).toBe(elsewhere.viewer.organization.id);
  });

  it('ends alone when it is ended, and with the one that it was switched from when that is', async () => {
    const { person, own, other } = await enterTwo();
    const [one, two] = [await switchTo(person, other), await switchTo(person, other)];
    const end = (by: SignedIn, target: SignedIn) =>
      ask(by, 'mutation ($id: ID!) { endSession(input: { id: $id }) { ended } }', {
        id: encodeGlobalId('Session', sessionIdOf(target)),
      });
    await end(person, one);
    expect(await Promise.all([person, one, two].map(placeOf))).toEqual([own, 'UNAUTHENTICATED', other]);
    await end(two, person);
    expect(await Promise.all([person, two].map(placeOf))).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  it('lives on by itself when it ends all others', async () => {
    const { person, other } = await enterTwo();
    const [switched, rival] = [await switchTo(person, other), await switchTo(person, other)];
    const answer = await ask(switched, 'mutation { endOtherSessions { session { isCurrent } } }');
    expect(answer.data).toEqual({ endOtherSessions: { session: { isCurrent: true } } });
    expect(await Promise.all([person, rival, switched].map(placeOf))).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
      other,
    ]);
    expect(await placeOf(await renew(switched))).toBe(other);
  });

  it('cannot come back by ending all others once its sign-in is over', async () => {
    const { person, other } = await enterTwo();
    const switched = await switchTo(person, other);
    // The root alone, as it is when a sign-out and a switch cross each other.
    await sql(house, 'update sessions set ended_at = now() where id = $1', [sessionIdOf(person)]);
    expect(codeOf(await ask(switched, 'mutation { endOtherSessions { replayed } }'))).toBe('UNAUTHENTICATED');
    expect(await placeOf(switched)).toBe('UNAUTHENTICATED');
    expect((await refresh(house, switched.refreshToken)).code).toBe('UNAUTHENTICATED');
  });

  it.each<[string, 'person' | 'switched']>([
    ['the one that it was switched from', 'person'],
    ['itself', 'switched'],
  ])('ends with all of its sign-in when a spent token of %s comes back', async (_name, who) => {
    const { person, other } = await enterTwo();
    const switched = await switchTo(person, other);
    const robbed = { person, switched }[who];
    await renew(robbed);
    await sql(house, `update sessions set rotations = array[now() - interval '11 s'] where id = $1`, [
      sessionIdOf(robbed),
    ]);
    expect((await refresh(house, robbed.refreshToken)).code).toBe('REFRESH_TOKEN_REUSED');
    expect(await Promise.all([person, switched].map(placeOf))).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  it('has never outlived a sign-out that it crossed', async () => {
    const { person, other } = await enterTwo();
    const [, ...crossing] = await Promise.all([
      ask(person, 'mutation { signOut { signedOut } }'),
      ...Array.from({ length: 8 }, () => askSwitch(person, other)),
    ]);
    for (const { code, signedIn } of crossing) {
      if (signedIn) expect(await placeOf(signedIn)).toBe('UNAUTHENTICATED');
      else expect(code).toBe('UNAUTHENTICATED');
    }
  });
});
