import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL } from '../support/scale.ts';
import { idOf, link, makeStale, mutate, signFor, stepUp, submitLink, unlink, walletsOf } from './linker.ts';
import { join, merge, placesOf, preview, ticketFor } from './merger.ts';
import { presentToken, startThirdwebbed, type ThirdwebbedHouse } from './thirdwebbed.ts';
import {
  codeOf,
  enterHouse,
  newWallet,
  OVERTAKEN,
  present,
  rowId,
  type SignedIn,
  sql,
  type Wallet,
} from './visitor.ts';

const ROUNDS = FULL ? 60 : 6;
/** A round is some thirty requests, and the machine may be busy with something else. */
const PATIENCE = { timeout: 60_000 + ROUNDS * 10_000 };

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed({ chain: true });
});
afterAll(() => house.stop());

interface Pair {
  readonly wallets: readonly [Wallet, Wallet];
  readonly older: SignedIn;
  readonly younger: SignedIn;
}

/** Two users, the first of whom came first. */
async function twoUsers(): Promise<Pair> {
  const wallets = [newWallet(), newWallet()] as const;
  const older = await enterHouse(house, wallets[0]);
  return { wallets, older, younger: await enterHouse(house, wallets[1]) };
}

const userOf = ({ viewer }: SignedIn): string => viewer.user.id;
const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;

async function codeFor({ accessToken }: SignedIn): Promise<string> {
  return codeOf(await house.ask('{ viewer { role } }', {}, { token: accessToken }));
}

async function nodeFor({ accessToken }: SignedIn, id: string): Promise<unknown> {
  const { data } = await house.ask<{ node: unknown }>(
    'query ($id: ID!) { node(id: $id) { ... on User { id displayName } } }',
    { id },
    { token: accessToken },
  );
  return data?.node ?? null;
}

describe('linking another user’s wallet', () => {
  it('is refused with a ticket that says nothing of them, kept as a digest', async () => {
    const { wallets, older } = await twoUsers();
    const answer = await house.ask(
      'mutation ($input: LinkWalletInput!) { linkWallet(input: $input) { alreadyLinked } }',
      { input: await signFor(house, older.accessToken, 'LINK', wallets[1]) },
      { token: older.accessToken },
    );
    const { facts = {} } = (answer.errors[0]?.extensions ?? {}) as { facts?: Record<string, string> };
    expect(codeOf(answer)).toBe('IDENTITY_LINKED_TO_OTHER_USER');
    expect(Object.keys(facts).sort()).toEqual(['expiresAt', 'mergeTicket']);
    expect(facts.mergeTicket).toMatch(/^th_mt_[\w-]{43}$/);
    const [kept] = await sql(
      house,
      `select to_jsonb(t)::text as row, user_id, expires_at - created_at between '00:09:59' and '00:10:01' as short
       from merge_tickets t where ticket_hash = sha256(convert_to($1, 'UTF8'))`,
      [facts.mergeTicket],
    );
    expect(kept).toMatchObject({ user_id: rowId(userOf(older)), short: true });
    expect(kept?.row).not.toContain(facts.mergeTicket);
  });

  it('gives no ticket to who did not prove it', async () => {
    const { wallets, older } = await twoUsers();
    const { message } = await signFor(house, older.accessToken, 'LINK', wallets[1]);
    const signature = await newWallet().signMessage({ message });
    expect((await submitLink(house, older.accessToken, { message, signature })).code).toBe('SIWE_SIGNATURE_INVALID');
    expect(await sql(house, 'select from merge_tickets where user_id = $1', [rowId(userOf(older))])).toEqual([]);
  });
});

describe('a preview', () => {
  it('lists what the merged user will have, from either side', async () => {
    const { wallets, older, younger } = await twoUsers();
    await join(house, younger, homeOf(older), 'MEMBER');
    const identities = wallets.map(({ address }) => expect.objectContaining({ subject: address.toLowerCase() }));
    const { data, code } = await preview(house, older.accessToken, await ticketFor(house, older, wallets[1]));
    expect(code).toBe('OK');
    expect(data).toMatchObject({
      viewerSurvives: true,
      identities,
      organizations: [
        { viewerRole: 'OWNER', otherRole: 'MEMBER', role: 'OWNER' },
        { viewerRole: null, otherRole: 'OWNER', role: 'OWNER' },
      ],
    });
    expect(data?.identities.map(({ isViewers, primary }) => [isViewers, primary])).toEqual([
      [true, true],
      [false, false],
    ]);
    const other = await preview(house, younger.accessToken, await ticketFor(house, younger, wallets[0]));
    expect(other.data).toMatchObject({
      viewerSurvives: false,
      organizations: [
        { viewerRole: 'MEMBER', otherRole: 'OWNER' },
        { viewerRole: 'OWNER', otherRole: null },
      ],
    });
    expect(other.data?.identities.map(({ isViewers, primary }) => [isViewers, primary])).toEqual([
      [false, true],
      [true, false],
    ]);
  });

  it('and merging need a good ticket of one’s own and a fresh proof', async () => {
    const { wallets, older, younger } = await twoUsers();
    const ticket = await ticketFor(house, older, wallets[1]);
    const both = async (person: SignedIn, given: string): Promise<string[]> => [
      (await preview(house, person.accessToken, given)).code,
      (await merge(house, person, given)).code,
    ];
    const invalid = ['MERGE_TICKET_INVALID', 'MERGE_TICKET_INVALID'];
    expect(await both(older, `th_mt_${'x'.repeat(43)}`)).toEqual(invalid);
    expect(await both(older, '')).toEqual(invalid);
    expect(await both(younger, ticket)).toEqual(invalid);
    expect(await both(await enterHouse(house), ticket)).toEqual(invalid);
    expect((await preview(house, undefined, ticket)).code).toBe('UNAUTHENTICATED');
    await makeStale(house, older);
    expect(await both(older, ticket)).toEqual(['STEP_UP_REQUIRED', 'STEP_UP_REQUIRED']);
    expect(await stepUp(house, older, wallets[0])).toBe('OK');
    await sql(house, `update merge_tickets set expires_at = now() - interval '1 second' where user_id = $1`, [
      rowId(userOf(older)),
    ]);
    expect(await both(older, ticket)).toEqual(invalid);
    const next = await ticketFor(house, older, wallets[1]);
    expect((await preview(house, older.accessToken, next)).code).toBe('OK');
    expect((await merge(house, older, next)).code).toBe('OK');
  });

  it('and merging are refused once the wallet has changed hands', async () => {
    const { wallets, older, younger } = await twoUsers();
    const spare = newWallet();
    await link(house, younger, spare);
    const ticket = await ticketFor(house, older, spare);
    await unlink(house, younger, await idOf(house, younger, spare));
    expect((await preview(house, older.accessToken, ticket)).code).toBe('MERGE_TICKET_INVALID');
    await enterHouse(house, spare);
    expect((await merge(house, older, ticket)).code).toBe('MERGE_TICKET_INVALID');
    expect(await walletsOf(house, older)).toMatchObject([{ address: wallets[0].address }]);
  });

  it.each([
    ['is disabled', `status = 'DISABLED'`],
    ['is deleted', 'deleted_at = now()'],
  ])('and merging are refused with a user who %s', async (_, change) => {
    const { wallets, older, younger } = await twoUsers();
    const ticket = await ticketFor(house, older, wallets[1]);
    await sql(house, `update users set ${change} where id = $1`, [rowId(userOf(younger))]);
    expect((await preview(house, older.accessToken, ticket)).code).toBe('MERGE_REFUSED');
    expect((await merge(house, older, ticket)).code).toBe('MERGE_REFUSED');
    expect(await codeFor(older)).toBe('OK');
  });
});

describe('merging two users', () => {
  it.each(['older', 'younger'] as const)('by the %s leaves the older one, with all that either had', async (by) => {
    const { wallets, older, younger } = await twoUsers();
    const [asking, theirs] = by === 'older' ? [older, wallets[1]] : [younger, wallets[0]];
    const { code, data } = await merge(house, asking, await ticketFor(house, asking, theirs));
    expect([code, data?.userId]).toEqual(['OK', userOf(older)]);
    expect(await Promise.all([older, younger].map(codeFor))).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    for (const wallet of wallets) {
      const again = await enterHouse(house, wallet);
      expect([again.isNewUser, userOf(again)]).toEqual([false, userOf(older)]);
      expect(await walletsOf(house, again)).toMatchObject([
        { address: wallets[0].address, primary: true },
        { address: wallets[1].address, primary: false },
      ]);
      expect(await nodeFor(again, userOf(younger))).toMatchObject({ id: userOf(older) });
    }
    expect(await placesOf(house, userOf(older))).toEqual({
      [rowId(homeOf(older))]: 'OWNER ACTIVE',
      [rowId(homeOf(younger))]: 'OWNER ACTIVE',
    });
    expect(await placesOf(house, userOf(younger))).toEqual({ [rowId(homeOf(younger))]: 'OWNER LEFT' });
    const told = await sql(
      house,
      `select organization_id, actor, data, metadata ? 'requestId' as traced from events
       where type = 'user.merged' and aggregate_id = $1 order by organization_id`,
      [rowId(userOf(younger))],
    );
    expect(told).toEqual(
      [older, younger]
        .map((person) => ({
          organization_id: rowId(homeOf(person)),
          actor: `user:${rowId(userOf(asking))}`,
          data: { mergedIntoId: rowId(userOf(older)) },
          traced: true,
        }))
        .sort((one, other) => (one.organization_id < other.organization_id ? -1 : 1)),
    );
  });

  it('uses the ticket up', async () => {
    const { wallets, older } = await twoUsers();
    const ticket = await ticketFor(house, older, wallets[1]);
    expect((await merge(house, older, ticket)).code).toBe('OK');
    expect((await merge(house, await enterHouse(house, wallets[1]), ticket)).code).toBe('MERGE_TICKET_INVALID');
  });

  it('takes from the other profile what one’s own lacks', async () => {
    const { wallets, older, younger } = await twoUsers();
    const name = `merged_${wallets[0].address.slice(2, 12).toLowerCase()}`;
    const tell = (person: SignedIn, input: object): Promise<unknown> =>
      house.ask(
        'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { profile { bio } } }',
        { input },
        { token: person.accessToken },
      );
    await tell(older, { displayName: 'Ada', bio: 'older', preferences: { a: 1, b: 1 } });
    await tell(younger, { displayName: 'Eve', bio: 'younger', userName: name, preferences: { b: 2, c: 2 } });
    await merge(house, younger, await ticketFor(house, younger, wallets[0]));
    const again = await enterHouse(house, wallets[1]);
    const { data } = await house.ask<{ viewer: { profile: unknown } }>(
      '{ viewer { profile { displayName bio userName preferences } } }',
      {},
      { token: again.accessToken },
    );
    expect(data?.viewer.profile).toEqual({
      displayName: 'Ada',
      bio: 'older',
      userName: name,
      preferences: { a: 1, b: 1, c: 2 },
    });
  });

  it.each([
    ['ADMIN', 'MEMBER', 'a third', 'MEMBER'],
    ['MEMBER', 'ADMIN', 'a third', 'MEMBER'],
    ['OWNER', 'MEMBER', 'a third', 'MEMBER'],
    ['OWNER', 'MEMBER', 'nobody', 'OWNER'],
    ['MEMBER', 'OWNER', 'nobody', 'OWNER'],
    ['OWNER', 'OWNER', 'nobody', 'OWNER'],
    ['ADMIN', 'MEMBER', 'nobody', 'MEMBER'],
  ])('makes of %s and %s in one organization, with %s else who owns it, %s', async (first, second, owner, role) => {
    const { wallets, older, younger } = await twoUsers();
    const third = await enterHouse(house);
    const shared = homeOf(third);
    await join(house, older, shared, first);
    await join(house, younger, shared, second);
    if (owner === 'nobody') await join(house, third, shared, 'MEMBER');
    await merge(house, older, await ticketFor(house, older, wallets[1]));
    expect((await placesOf(house, userOf(older)))[rowId(shared)]).toBe(`${role} ACTIVE`);
    expect((await placesOf(house, userOf(younger)))[rowId(shared)]).toBe(`${second} LEFT`);
  });

  it('lets who has left stay away, and who is a member be one', async () => {
    const { wallets, older, younger } = await twoUsers();
    const [left, kept, gone] = [await enterHouse(house), await enterHouse(house), await enterHouse(house)].map(homeOf);
    await join(house, older, left ?? '', 'ADMIN', 'LEFT');
    await join(house, younger, left ?? '', 'MEMBER');
    await join(house, older, kept ?? '', 'ADMIN');
    await join(house, younger, kept ?? '', 'MEMBER', 'REMOVED');
    await join(house, younger, gone ?? '', 'ADMIN', 'REMOVED');
    await merge(house, older, await ticketFor(house, older, wallets[1]));
    expect(await placesOf(house, userOf(older))).toMatchObject({
      [rowId(left ?? '')]: 'MEMBER ACTIVE',
      [rowId(kept ?? '')]: 'ADMIN ACTIVE',
      [rowId(gone ?? '')]: 'ADMIN REMOVED',
    });
  });

  it('keeps what an id means through a chain of merges', async () => {
    const people = [await twoUsers(), await twoUsers()] as const;
    for (const { wallets, older } of people) await merge(house, older, await ticketFor(house, older, wallets[1]));
    const [{ older: first, wallets: own }, { older: second, younger: last, wallets: theirs }] = people;
    const again = await enterHouse(house, own[0]);
    expect((await merge(house, again, await ticketFor(house, again, theirs[1]))).code).toBe('OK');
    const finally_ = await enterHouse(house, theirs[0]);
    expect(userOf(finally_)).toBe(userOf(first));
    for (const id of [second, last].map(userOf)) {
      expect(await nodeFor(finally_, id)).toMatchObject({ id: userOf(first) });
    }
    const rows = await sql(house, 'select distinct merged_into_id from users where id = any ($1)', [
      [second, last].map((person) => rowId(userOf(person))),
    ]);
    expect(rows).toEqual([{ merged_into_id: rowId(userOf(first)) }]);
  });
});

describe('at one instant', () => {
  it('merging one pair from both sides is done once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { wallets, older, younger } = await twoUsers();
      const tickets = [await ticketFor(house, older, wallets[1]), await ticketFor(house, younger, wallets[0])] as const;
      const codes = (
        await Promise.all([
          merge(house, older, tickets[0]),
          merge(house, older, tickets[0]),
          merge(house, younger, tickets[1]),
        ])
      ).map(({ code }) => code);
      expect(codes.filter((code) => code === 'OK')).toHaveLength(1);
      for (const code of codes) expect([...OVERTAKEN, 'MERGE_TICKET_INVALID', 'STEP_UP_REQUIRED']).toContain(code);
      const again = await enterHouse(house, wallets[1]);
      expect([userOf(again), (await walletsOf(house, again)).length]).toEqual([userOf(older), 2]);
    }
  });

  it(
    'merging, linking, unlinking and signing in lose no wallet, and leave no session of who is gone',
    PATIENCE,
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { wallets, older, younger } = await twoUsers();
        const [spare, fresh] = [newWallet(), newWallet()];
        expect((await link(house, younger, spare)).code).toBe('OK');
        const [ticket, signed, spareId] = [
          await ticketFor(house, older, wallets[1]),
          await signFor(house, younger.accessToken, 'LINK', fresh),
          await idOf(house, younger, spare),
        ];
        // what a token tells beside the wallet of somebody who is known is not added, whoever that is by then
        const profiles = [1, 2, 3].map((place) => ({ type: 'google', id: `${fresh.address} ${place}` }));
        const authToken = house.thirdweb.tokenOf({ address: wallets[1].address, profiles });
        const [merged, linked, unlinked, entered, byToken, ...changed] = await Promise.all([
          merge(house, older, ticket),
          // nothing is read of it for the answer: it would not be there for whose session has ended by then
          mutate(house, younger.accessToken, 'linkWallet', signed, 'alreadyLinked'),
          unlink(house, younger, spareId),
          present(house, {}, { wallet: wallets[1] }),
          presentToken(house, authToken),
          ...[older, younger].map(({ accessToken }) =>
            mutate(house, accessToken, 'updateProfile', { displayName: 'Ada', bio: 'x' }, 'profile { bio }'),
          ),
        ]);
        expect(merged.code).toBe('OK');
        // a session that had just begun ends with the others, and its answer is nobody's
        for (const { code } of [entered, byToken, ...changed]) expect(OVERTAKEN).toContain(code);
        const left = await sql(house, 'select from identities where user_id = $1', [rowId(userOf(younger))]);
        expect(left).toEqual([]);
        expect([...OVERTAKEN, 'STEP_UP_REQUIRED']).toContain(linked.code);
        expect([...OVERTAKEN, 'STEP_UP_REQUIRED', 'IDENTITY_UNKNOWN']).toContain(unlinked.code);
        const again = await enterHouse(house, wallets[1]);
        expect(userOf(again)).toBe(userOf(older));
        const expected = [
          ...wallets,
          ...(unlinked.code === 'OK' ? [] : [spare]),
          ...(linked.code === 'OK' ? [fresh] : []),
        ];
        expect((await walletsOf(house, again)).map(({ address }) => address).sort()).toEqual(
          expected.map(({ address }) => address).sort(),
        );
        const alive = await sql(house, 'select from sessions where user_id = $1 and ended_at is null', [
          rowId(userOf(younger)),
        ]);
        expect(alive).toEqual([]);
        // whoever came too late to link is free to come as a stranger
        if (linked.code !== 'OK') expect((await present(house, {}, { wallet: fresh })).code).toBe('OK');
      }
    },
  );

  it('merges in one organization leave it an owner', PATIENCE, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, other] = [await twoUsers(), await twoUsers()];
      const home = homeOf(await enterHouse(house));
      await sql(house, `update memberships set role = 'MEMBER' where organization_id = $1`, [rowId(home)]);
      for (const { older, younger } of [one, other]) {
        await join(house, older, home, 'OWNER');
        await join(house, younger, home, 'MEMBER');
      }
      const tickets = [
        await ticketFor(house, one.older, one.wallets[1]),
        await ticketFor(house, other.older, other.wallets[1]),
      ] as const;
      const codes = await Promise.all([merge(house, one.older, tickets[0]), merge(house, other.older, tickets[1])]);
      expect(codes.map(({ code }) => code)).toEqual(['OK', 'OK']);
      const owners = await sql(
        house,
        `select from memberships where organization_id = $1 and role = 'OWNER' and status = 'ACTIVE'`,
        [rowId(home)],
      );
      expect(owners).toHaveLength(1);
    }
  });
});
