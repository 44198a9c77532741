import { getAddress } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { link, mutate, type Outcome, walletsOf } from './linker.ts';
import { merge, preview, ticketFor } from './merger.ts';
import { enterOwnDomain } from './ownDomain.ts';
import { askCode } from './reader.ts';
import { codeOf, enterHouse, newWallet, rowId, type SignedIn, sessionIdOf, sql, type Wallet } from './visitor.ts';

let house: TestTollhouse;
let wallet: Wallet;
/** Somebody's session of the gateway's own page, and one of their organization's own domain. */
let person: SignedIn;
let bound: SignedIn;
beforeAll(async () => {
  house = await startTollhouse();
});
beforeEach(async () => {
  wallet = newWallet();
  person = await enterHouse(house, wallet);
  bound = await enterOwnDomain(house, person, wallet);
});
afterAll(() => house.stop());

const userOf = ({ viewer }: SignedIn): string => viewer.user.id;

async function isAlive({ accessToken }: SignedIn): Promise<boolean> {
  return codeOf(await house.ask('{ viewer { role } }', {}, { token: accessToken })) === 'OK';
}

const end = (asking: SignedIn, { refreshToken }: SignedIn): Promise<Outcome<{ ended: boolean }>> =>
  mutate(
    house,
    asking.accessToken,
    'endSession',
    { id: encodeGlobalId('Session', sessionIdOf({ refreshToken })) },
    'ended',
  );

const endOthers = (asking: SignedIn): Promise<Outcome> =>
  mutate(house, asking.accessToken, 'endOtherSessions', {}, 'replayed');

const rename = (asking: SignedIn): Promise<Outcome> =>
  mutate(house, asking.accessToken, 'updateProfile', { displayName: 'Ada' }, 'profile { displayName }');

const remove = (asking: SignedIn): Promise<Outcome> =>
  mutate(house, asking.accessToken, 'deleteUser', { userId: userOf(asking) }, 'userId');

interface Told {
  readonly user: { readonly wallets: readonly unknown[] };
  readonly identities: { readonly edges: readonly unknown[] };
  readonly memberships: readonly unknown[];
  readonly profile: unknown;
}

const EVERYTHING = `{
  viewer {
    user { displayName wallets { address } }
    organization { id }
    identities { edges { node { wallet { address } } } }
    memberships { organization { id } }
    profile { displayName userName }
  }
}`;

describe('a session of an organization’s own domain', () => {
  it('is listed as bound, and sees itself alone', async () => {
    const query = '{ viewer { session { isBound } sessions { edges { node { isBound isCurrent } } } } }';
    const seen = async ({ accessToken }: SignedIn) => (await house.ask(query, {}, { token: accessToken })).data;
    const itself = { node: { isBound: true, isCurrent: true } };
    expect(await seen(bound)).toEqual({ viewer: { session: { isBound: true }, sessions: { edges: [itself] } } });
    const [first, second] = [
      { isBound: true, isCurrent: false },
      { isBound: false, isCurrent: true },
    ];
    expect(await seen(person)).toEqual({
      viewer: { session: { isBound: false }, sessions: { edges: [{ node: first }, { node: second }] } },
    });
  });

  it('reads of its user the name, the one wallet, and the place in the one organization', async () => {
    await link(house, person, newWallet());
    const told = { displayName: 'Ada', userName: `ada_${newId().slice(-12)}` };
    expect((await mutate(house, person.accessToken, 'updateProfile', told, 'profile { userName }')).code).toBe('OK');
    const neighbour = await enterHouse(house);
    await sql(
      house,
      `insert into memberships (organization_id, user_id, role, joined_at) values ($1, $2, 'MEMBER', now())`,
      [rowId(neighbour.viewer.organization.id), rowId(userOf(person))],
    );
    const read = async ({ accessToken }: SignedIn) => {
      const { data, errors } = await house.ask<{ viewer: Told }>(EVERYTHING, {}, { token: accessToken });
      expect(errors).toEqual([]);
      return data?.viewer;
    };
    const address = { address: getAddress(wallet.address) };
    const { organization } = person.viewer;
    expect(await read(bound)).toEqual({
      user: { displayName: 'Ada', wallets: [address] },
      organization,
      identities: { edges: [{ node: { wallet: address } }] },
      memberships: [{ organization }],
      profile: { displayName: 'Ada', userName: null },
    });
    const all = await read(person);
    expect([all?.user.wallets, all?.identities.edges, all?.memberships].map((each) => each?.length)).toEqual([2, 2, 2]);
    expect(all?.profile).toEqual(told);
  });

  it('deletes nobody, where one of the gateway’s own page does', async () => {
    expect((await remove(bound)).code).toBe('SESSION_BOUND');
    const [row] = await sql(house, 'select deleted_at from users where id = $1', [rowId(userOf(person))]);
    expect(row?.deleted_at).toBe(null);
    expect((await remove(person)).code).toBe('OK');
    expect([await isAlive(bound), await isAlive(person)]).toEqual([false, false]);
  });

  it('merges nobody and shows no preview, where one of the gateway’s own page does', async () => {
    const other = newWallet();
    await enterHouse(house, other);
    const ticket = await ticketFor(house, person, other);
    expect((await preview(house, bound.accessToken, ticket)).code).toBe('SESSION_BOUND');
    expect((await merge(house, bound, ticket)).code).toBe('SESSION_BOUND');
    expect(await walletsOf(house, person)).toHaveLength(1);
    expect((await preview(house, person.accessToken, ticket)).code).toBe('OK');
    expect((await merge(house, person, ticket)).code).toBe('OK');
  });

  it('links no e-mail address and sends no code, where one of the gateway’s own page does', async () => {
    const email = `bound-${newId()}@example.org`;
    expect((await askCode(house, bound, email)).code).toBe('SESSION_BOUND');
    const input = { email, code: '00000000' };
    const linking = ({ accessToken }: SignedIn) => mutate(house, accessToken, 'linkEmail', input, 'alreadyLinked');
    expect((await linking(bound)).code).toBe('SESSION_BOUND');
    expect((await askCode(house, person, email)).code).toBe('OK');
    expect((await linking(person)).code).toBe('EMAIL_CODE_INVALID');
  });

  it('links no thirdweb profile; one of the gateway’s own page gets past that', async () => {
    const linking = ({ accessToken }: SignedIn) =>
      mutate(house, accessToken, 'linkThirdwebProfile', { authToken: 'token' }, 'alreadyLinked');
    expect((await linking(bound)).code).toBe('SESSION_BOUND');
    expect((await linking(person)).code).toBe('THIRDWEB_NOT_CONFIGURED');
  });

  it('makes, changes and revokes no API key, where one of the gateway’s own page does', async () => {
    const key = { name: 'Till', kind: 'SERVICE', scopes: ['events:read'] };
    const make = ({ accessToken }: SignedIn): Promise<Outcome<{ apiKey: { id: string } }>> =>
      mutate(house, accessToken, 'createApiKey', key, 'apiKey { id }');
    expect((await make(bound)).code).toBe('SESSION_BOUND');
    const id = (await make(person)).data?.apiKey.id ?? '';
    const change = ({ accessToken }: SignedIn, field: string, words: object = {}): Promise<Outcome> =>
      mutate(house, accessToken, field, { id, ...words }, 'apiKey { id }');
    for (const [field, words] of [['updateApiKey', { name: 'Shop' }], ['revokeApiKey']] as const) {
      expect([field, (await change(bound, field, words)).code]).toEqual([field, 'SESSION_BOUND']);
      expect([field, (await change(person, field, words)).code]).toEqual([field, 'OK']);
    }
  });

  it('changes nothing that its user tells of itself, where one of the gateway’s own page does', async () => {
    expect((await rename(bound)).code).toBe('SESSION_BOUND');
    expect(await rename(person)).toMatchObject({ code: 'OK', data: { profile: { displayName: 'Ada' } } });
  });

  it('ends itself, and no other session, whosever', async () => {
    const stranger = await enterHouse(house);
    expect((await end(bound, stranger)).data?.ended).toBe(false);
    expect((await end(bound, person)).data?.ended).toBe(false);
    expect((await endOthers(bound)).code).toBe('SESSION_BOUND');
    expect([await isAlive(stranger), await isAlive(person), await isAlive(bound)]).toEqual([true, true, true]);
    expect((await end(bound, bound)).data?.ended).toBe(true);
    expect([await isAlive(person), await isAlive(bound)]).toEqual([true, false]);
  });

  it('is ended by one of the gateway’s own page, alone or with all others', async () => {
    expect((await end(person, bound)).data?.ended).toBe(true);
    const another = await enterOwnDomain(house, person, wallet);
    expect((await endOthers(person)).code).toBe('OK');
    expect([await isAlive(bound), await isAlive(another), await isAlive(person)]).toEqual([false, false, true]);
  });

  it('signs itself out, and nobody else', async () => {
    const { data } = await house.ask('mutation { signOut { signedOut } }', {}, { token: bound.accessToken });
    expect(data).toEqual({ signOut: { signedOut: true } });
    expect([await isAlive(bound), await isAlive(person)]).toEqual([false, true]);
  });
});
