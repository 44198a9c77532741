import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { showAddress } from '../../src/kernel/address.ts';
import { makeStale, mutate, type Outcome } from './linker.ts';
import {
  enterWith,
  identitiesOf,
  newAddress,
  startThirdwebbed,
  type ThirdwebbedHouse,
  trailOf,
} from './thirdwebbed.ts';
import { enterHouse, newWallet, rowId, type SignedIn, sql } from './visitor.ts';

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed();
});
afterAll(() => house.stop());
afterEach(() => {
  house.thirdweb.mood = 'well';
});

interface Linked {
  readonly identities: readonly { readonly issuer: string; readonly subject: string }[];
  readonly alreadyLinked: boolean;
}

function link(person: Pick<SignedIn, 'accessToken'> | null, told: object | string): Promise<Outcome<Linked>> {
  const authToken = typeof told === 'string' ? told : house.thirdweb.tokenOf(told);
  const selection = 'identities { issuer subject } alreadyLinked';
  return mutate<Linked>(house, person?.accessToken, 'linkThirdwebProfile', { authToken }, selection);
}

let count = 0;
/** Somebody with an in-app wallet, a smart account and a Google account that nobody else has. */
function newTold(): { address: string; smartWalletAddress: string; profiles: { type: string; id: string }[] } {
  count += 1;
  return {
    address: newAddress(),
    smartWalletAddress: newAddress(),
    profiles: [{ type: 'google', id: `g-${count}` }],
  };
}

describe('linking an in-app wallet', () => {
  it('makes it, its smart account and its profiles the viewer’s, and tells the organizations', async () => {
    const person = await enterHouse(house);
    const told = newTold();
    const first = await link(person, told);
    expect(first).toMatchObject({ code: 'OK', data: { alreadyLinked: false } });
    const linked = [
      { issuer: 'eip155', subject: told.address },
      { issuer: 'eip155:31337', subject: told.smartWalletAddress },
      { issuer: 'thirdweb:google', subject: told.profiles[0]?.id },
    ];
    expect(first.data?.identities).toEqual(expect.arrayContaining(linked));
    expect(first.data?.identities).toHaveLength(3);
    const seen = await identitiesOf(house, person);
    expect(seen).toHaveLength(4);
    expect(seen.find(({ subject }) => subject === told.smartWalletAddress)?.wallet).toEqual({
      source: 'THIRDWEB_SMART',
      kind: 'CONTRACT',
      chainId: 31_337,
      primary: false,
      controlledBy: { address: showAddress(told.address) },
    });
    const events = await sql(
      house,
      `select type, data ->> 'kind' as kind from events
       where organization_id = $1 and type like '%.linked' order by type, kind`,
      [rowId(person.viewer.organization.id)],
    );
    expect(events.map(({ type, kind }) => `${type} ${kind}`)).toEqual([
      'identity.linked SOCIAL',
      'wallet.linked CONTRACT',
      'wallet.linked EOA',
    ]);
    expect((await trailOf(house)).at(-1)).toMatchObject({ purpose: 'LINK', outcome: 'OK', address: told.address });

    expect(await link(person, told)).toMatchObject({ code: 'OK', data: { alreadyLinked: true } });
    expect(await identitiesOf(house, person)).toHaveLength(4);
    expect((await enterWith(house, house.thirdweb.tokenOf(told))).viewer).toEqual(person.viewer);
  });

  it('needs a session with a proof that is minutes old', async () => {
    const person = await enterHouse(house);
    await makeStale(house, person);
    const before = house.thirdweb.asked;
    expect((await link(person, newTold())).code).toBe('STEP_UP_REQUIRED');
    expect((await link(null, newTold())).code).toBe('UNAUTHENTICATED');
    expect(house.thirdweb.asked).toBe(before);
    expect(await identitiesOf(house, person)).toHaveLength(1);
  });

  it.each(['broken', 'silent'] as const)('fails while thirdweb is %s, and nothing is linked', async (mood) => {
    const person = await enterHouse(house);
    house.thirdweb.mood = mood;
    expect((await link(person, newTold())).code).toBe('THIRDWEB_UNAVAILABLE');
    expect(await identitiesOf(house, person)).toHaveLength(1);
  });

  it('refuses a token that thirdweb does not know', async () => {
    const person = await enterHouse(house);
    expect((await link(person, 'eyJ.unknown.sig')).code).toBe('THIRDWEB_TOKEN_INVALID');
    expect((await trailOf(house)).at(-1)).toMatchObject({ purpose: 'LINK', outcome: 'THIRDWEB_TOKEN_INVALID' });
  });
});

describe('what is somebody else’s', () => {
  const parts: readonly [name: string, of: (told: ReturnType<typeof newTold>) => object][] = [
    ['wallet', ({ address }) => ({ ...newTold(), address })],
    ['smart account', ({ smartWalletAddress }) => ({ ...newTold(), smartWalletAddress })],
    ['Google account', ({ profiles }) => ({ ...newTold(), profiles })],
  ];
  // whoever holds a token of somebody's must not get their account by it: nobody has signed
  it.each(parts)('(the %s) stays theirs: nothing is linked, and there is no ticket to merge', async (_name, shared) => {
    const told = newTold();
    const owner = await enterWith(house, house.thirdweb.tokenOf(told));
    const person = await enterHouse(house);
    const authToken = house.thirdweb.tokenOf(shared(told));
    const answer = await house.ask(
      'mutation ($t: String!) { linkThirdwebProfile(input: { authToken: $t }) { alreadyLinked } }',
      { t: authToken },
      { token: person.accessToken },
    );
    const { code, facts } = answer.errors[0]?.extensions ?? {};
    expect(code).toBe('IDENTITY_LINKED_TO_OTHER_USER');
    expect(facts ?? {}).toEqual({});
    expect(JSON.stringify(answer)).not.toContain(rowId(owner.viewer.user.id));
    expect(await identitiesOf(house, person)).toHaveLength(1);
    expect(await identitiesOf(house, owner)).toHaveLength(3);
    expect(await sql(house, 'select from merge_tickets where user_id = $1', [rowId(person.viewer.user.id)])).toEqual(
      [],
    );
  });

  it('is decided by who comes first, when two link the same at one instant', async () => {
    const told = newTold();
    const people = await Promise.all([enterHouse(house, newWallet()), enterHouse(house, newWallet())]);
    const codes = await Promise.all(people.map(async (person) => (await link(person, told)).code));
    expect(codes.sort()).toEqual(['IDENTITY_LINKED_TO_OTHER_USER', 'OK']);
    const counts = await Promise.all(people.map(async (person) => (await identitiesOf(house, person)).length));
    expect(counts.sort()).toEqual([1, 4]);
  });
});

describe('the database', () => {
  /** Adds a row to a user as signing in would, in a scene that carries these accounts. */
  async function addAs(carried: object[] | null, issuer: string, subject: string): Promise<string> {
    const person = await enterHouse(house);
    const wallet = { issuer: 'eip155', subject: newAddress() };
    const scope = house.resources.database.as({
      kind: 'identity',
      requestId: 'test',
      ...(carried && { account: wallet, beside: carried as never }),
      newcomer: { userId: rowId(person.viewer.user.id), organizationId: rowId(person.viewer.organization.id) },
    });
    return scope
      .write((tx) => [
        tx.$executeRaw`
          /* addAs */
          insert into identities (user_id, kind, issuer, subject)
          values ((select current_user_id()), 'SOCIAL', ${issuer}, ${subject})`,
      ])
      .then(
        () => 'added',
        (error: { code?: unknown }) => String(error.code),
      );
  }

  const google = { issuer: 'thirdweb:google', subject: 'g-law' };
  const discord = { issuer: 'thirdweb:discord', subject: 'd-law' };
  it('adds what the scene carries, and nothing else', async () => {
    expect(await addAs([google, discord], google.issuer, google.subject)).toBe('added');
    expect(await addAs([google, discord], 'thirdweb:google', 'd-law')).toBe('FORBIDDEN');
    expect(await addAs([google, discord], 'd-law', 'thirdweb:discord')).toBe('FORBIDDEN');
    expect(await addAs([google, discord], 'thirdweb:apple', 'a-law')).toBe('FORBIDDEN');
    expect(await addAs([], 'thirdweb:discord', 'd-law')).toBe('FORBIDDEN');
    expect(await addAs(null, 'thirdweb:discord', 'd-law')).toBe('FORBIDDEN');
  });
});
