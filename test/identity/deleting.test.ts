import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL } from '../support/scale.ts';
import { link, makeStale, mutate, type Outcome, signFor, stepUp, submitLink } from './linker.ts';
import { join, merge, placesOf, ticketFor } from './merger.ts';
import { presentToken, startThirdwebbed, type ThirdwebbedHouse } from './thirdwebbed.ts';
import {
  codeOf,
  enterHouse,
  newWallet,
  OVERTAKEN,
  present,
  refresh,
  rowId,
  type SignedIn,
  sql,
  type Wallet,
} from './visitor.ts';

const ROUNDS = FULL ? 60 : 6;

let house: ThirdwebbedHouse;
beforeAll(async () => {
  house = await startThirdwebbed({ chain: true });
});
afterAll(() => house.stop());

const userOf = ({ viewer }: SignedIn): string => viewer.user.id;
const homeOf = ({ viewer }: SignedIn): string => viewer.organization.id;

function remove(person: SignedIn, userId: string = userOf(person)): Promise<Outcome<{ userId: string }>> {
  return mutate(house, person.accessToken, 'deleteUser', { userId }, 'userId');
}

/** The code, and the facts that came with it. */
async function refusalOf(person: SignedIn): Promise<unknown> {
  const answer = await house.ask(
    'mutation ($userId: ID!) { deleteUser(input: { userId: $userId }) { userId } }',
    { userId: userOf(person) },
    { token: person.accessToken },
  );
  const { facts } = (answer.errors[0]?.extensions ?? {}) as { facts?: unknown };
  return { code: codeOf(answer), facts };
}

async function nameOf(organizationId: string): Promise<unknown> {
  const [row] = await sql(house, 'select name from organizations where id = $1', [rowId(organizationId)]);
  return row?.name;
}

/** Makes a link that pays to the wallet, in the organization that the person works in. */
async function linkTo(person: SignedIn, wallet: Wallet): Promise<{ id: string; slug: string }> {
  const [asset] = await sql(house, 'select caip19 from assets where address is null');
  const { data } = await house.ask<{ createPaymentLink: { paymentLink: { id: string; slug: string } } }>(
    `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id slug } } }`,
    { input: { title: 'Tea', accepts: [{ asset: asset?.caip19, amount: '1', payTo: wallet.address }] } },
    { token: person.accessToken },
  );
  if (!data) throw new Error('No link was made.');
  return data.createPaymentLink.paymentLink;
}

/** The same person's session in a further organization of theirs. */
async function openElsewhere(person: SignedIn): Promise<SignedIn> {
  const made = await mutate<{ organization: { id: string } }>(
    house,
    person.accessToken,
    'createOrganization',
    { name: 'Elsewhere' },
    'organization { id }',
  );
  const switched = await mutate<{ accessToken: string }>(
    house,
    person.accessToken,
    'switchOrganization',
    { organizationId: made.data?.organization.id },
    'accessToken',
  );
  if (!switched.data) throw new Error(`It was not switched to: ${made.code}, ${switched.code}`);
  return { ...person, accessToken: switched.data.accessToken };
}

describe('deleting oneself', () => {
  it('ends every session, makes strangers of the wallets, and leaves nothing but an id', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await enterHouse(house, first);
    expect((await link(house, person, second)).code).toBe('OK');
    const bySecond = await enterHouse(house, second);
    const userName = `gone_${first.address.slice(2, 12).toLowerCase()}`;
    const told = { displayName: 'Ada', avatarUrl: 'https://example.com/a.png', userName, bio: 'mine' };
    const named = await mutate(house, person.accessToken, 'updateProfile', told, 'profile { userName }');
    expect(named.code).toBe('OK');
    await sql(
      house,
      `insert into email_codes (user_id, email, code_hash, client_hash, expires_at)
       values ($1, 'ada@example.com', sha256('x'), sha256('y'), now() + interval '1 hour')`,
      [rowId(userOf(person))],
    );

    expect(await remove(person)).toEqual({ code: 'OK', data: { userId: userOf(person) } });

    for (const { accessToken, refreshToken } of [person, bySecond]) {
      const seen = await house.ask('{ viewer { role } }', {}, { token: accessToken });
      expect(codeOf(seen)).toBe('UNAUTHENTICATED');
      expect((await refresh(house, refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    }
    const [row] = await sql(
      house,
      `select u.display_name, u.avatar_url, u.deleted_at is not null as deleted,
         p.user_name, p.bio, p.preferences, (select count(*)::int from identities where user_id = u.id) as identities,
         (select count(*)::int from email_codes where user_id = u.id) as codes
       from users u join user_profiles p on p.user_id = u.id where u.id = $1`,
      [rowId(userOf(person))],
    );
    expect(row).toEqual({
      display_name: 'Deleted user',
      avatar_url: null,
      deleted: true,
      user_name: null,
      bio: null,
      preferences: {},
      identities: 0,
      codes: 0,
    });
    const stranger = await enterHouse(house, first);
    expect([stranger.isNewUser, userOf(stranger) === userOf(person)]).toEqual([true, false]);
    expect(
      (await mutate(house, stranger.accessToken, 'updateProfile', { userName }, 'profile { userName }')).code,
    ).toBe('OK');
  });

  it('takes along the organizations that nobody else belongs to, and tells the others', async () => {
    const [person, colleague] = [await enterHouse(house), await enterHouse(house)];
    await join(house, person, homeOf(colleague), 'ADMIN');
    expect((await remove(person)).code).toBe('OK');
    expect(await placesOf(house, userOf(person))).toEqual({
      [rowId(homeOf(person))]: 'OWNER LEFT',
      [rowId(homeOf(colleague))]: 'ADMIN LEFT',
    });
    const deleted = await sql(
      house,
      'select id, deleted_at is not null as deleted from organizations where id = any ($1)',
      [[person, colleague].map((each) => rowId(homeOf(each)))],
    );
    expect(new Map(deleted.map(({ id, deleted }) => [id, deleted]))).toEqual(
      new Map([
        [rowId(homeOf(person)), true],
        [rowId(homeOf(colleague)), false],
      ]),
    );
    const told = await sql(
      house,
      `select organization_id, actor, data from events where type = 'user.deleted' and aggregate_id = $1`,
      [rowId(userOf(person))],
    );
    expect(new Map(told.map(({ organization_id, ...event }) => [organization_id, event]))).toEqual(
      new Map(
        [person, colleague].map((each) => [
          rowId(homeOf(each)),
          { actor: `user:${rowId(userOf(person))}`, data: { organizationDeleted: each === person } },
        ]),
      ),
    );
    const { data } = await house.ask(
      'query ($id: ID!) { node(id: $id) { ... on User { displayName avatarUrl } } }',
      { id: userOf(person) },
      { token: colleague.accessToken },
    );
    expect(data).toEqual({ node: { displayName: 'Deleted user', avatarUrl: null } });
  });

  it('forgets whoever had become the user, too', async () => {
    const wallets = [newWallet(), newWallet()] as const;
    const older = await enterHouse(house, wallets[0]);
    const younger = await enterHouse(house, wallets[1]);
    await mutate(house, younger.accessToken, 'updateProfile', { displayName: 'Eve', bio: 'x' }, 'profile { bio }');
    await merge(house, older, await ticketFor(house, older, wallets[1]));
    expect((await remove(await enterHouse(house, wallets[1]), userOf(older))).code).toBe('OK');
    const rows = await sql(
      house,
      `select u.display_name, p.bio from users u left join user_profiles p on p.user_id = u.id where u.id = any ($1)`,
      [[older, younger].map((person) => rowId(userOf(person)))],
    );
    expect(rows).toEqual([
      { display_name: 'Deleted user', bio: null },
      { display_name: 'Deleted user', bio: null },
    ]);
  });

  it('needs a fresh proof, and one’s own id', async () => {
    const wallet = newWallet();
    const [person, other] = [await enterHouse(house, wallet), await enterHouse(house)];
    expect((await remove(person, userOf(other))).code).toBe('BAD_USER_INPUT');
    expect((await remove(person, homeOf(person))).code).toBe('BAD_USER_INPUT');
    expect((await mutate(house, undefined, 'deleteUser', { userId: userOf(person) }, 'userId')).code).toBe(
      'UNAUTHENTICATED',
    );
    await makeStale(house, person);
    expect((await remove(person)).code).toBe('STEP_UP_REQUIRED');
    expect(await stepUp(house, person, wallet)).toBe('OK');
    expect((await remove(person)).code).toBe('OK');
    expect((await remove(person)).code).toBe('UNAUTHENTICATED');
    expect((await remove(other)).code).toBe('OK');
  });
});

describe('whoever is needed', () => {
  it('cannot go while they alone own an organization with other members', async () => {
    const [owner, member] = [await enterHouse(house), await enterHouse(house)];
    await join(house, member, homeOf(owner), 'MEMBER');
    expect(await refusalOf(owner)).toEqual({
      code: 'LAST_OWNER',
      facts: { organizations: [await nameOf(homeOf(owner))] },
    });
    await join(house, member, homeOf(owner), 'OWNER');
    expect((await remove(owner)).code).toBe('OK');
    expect(await placesOf(house, userOf(member))).toMatchObject({ [rowId(homeOf(owner))]: 'OWNER ACTIVE' });
  });

  it('cannot go while a link that outlives them pays to a wallet of theirs', async () => {
    const wallet = newWallet();
    const [owner, member] = [await enterHouse(house, wallet), await enterHouse(house)];
    await join(house, member, homeOf(owner), 'OWNER');
    const { id } = await linkTo(owner, wallet);
    expect(await refusalOf(owner)).toEqual({ code: 'WALLET_IN_USE', facts: { address: wallet.address.toLowerCase() } });
    await sql(house, `update payment_links set status = 'PAUSED' where id = $1`, [rowId(id)]);
    expect((await remove(owner)).code).toBe('OK');
  });

  it('cannot go while money is under way in an organization of theirs alone', async () => {
    const wallet = newWallet();
    const owner = await enterHouse(house, wallet);
    const { slug } = await linkTo(owner, wallet);
    const made = await house.ask(
      'mutation ($input: CreatePaymentOrderInput!) { createPaymentOrder(input: $input) { checkoutOrder { status } } }',
      { input: { slug, payer: newWallet().address } },
    );
    expect(codeOf(made)).toBe('OK');
    const turn = (change: string): Promise<unknown> =>
      sql(house, `update payment_orders set ${change} where organization_id = $1`, [rowId(homeOf(owner))]);
    const refused = {
      code: 'ORGANIZATION_HAS_OPEN_MONEY',
      facts: { organizations: [await nameOf(homeOf(owner))] },
    };
    expect(await refusalOf(owner)).toEqual(refused);
    await turn(`status = 'PAID', credited_units = due_units, paid_at = now()`);
    expect(await refusalOf(owner)).toEqual(refused);
    for (const status of ['EXPIRED', 'CANCELED', 'FAILED']) {
      await turn(`status = '${status}', credited_units = 1`);
      expect(await refusalOf(owner)).toEqual(refused);
    }
    const elsewhere = await openElsewhere(owner);
    expect(await refusalOf(elsewhere)).toEqual(refused);
    await turn(`status = 'EXPIRED', credited_units = 0`);
    expect((await remove(owner)).code).toBe('OK');
  });
});

describe('at one instant', () => {
  it('deleting oneself, linking and signing in leave no wallet with who is gone', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [wallet, fresh] = [newWallet(), newWallet()];
      const person = await enterHouse(house, wallet);
      const signed = await signFor(house, person.accessToken, 'LINK', fresh);
      const profiles = [1, 2, 3].map((place) => ({ type: 'google', id: `${fresh.address} ${place}` }));
      const authToken = house.thirdweb.tokenOf({ address: wallet.address, profiles });
      const [removed, linked, entered, byToken, changed] = await Promise.all([
        remove(person),
        submitLink(house, person.accessToken, signed),
        present(house, {}, { wallet }),
        presentToken(house, authToken),
        mutate(house, person.accessToken, 'updateProfile', { displayName: 'Ada', bio: 'x' }, 'profile { bio }'),
      ]);
      expect(removed.code).toBe('OK');
      // a session that had just begun ends with the others, and its answer is nobody's
      for (const { code } of [entered, byToken, changed]) expect(OVERTAKEN).toContain(code);
      const [row] = await sql(house, 'select display_name from users where id = $1', [rowId(userOf(person))]);
      expect(row).toEqual({ display_name: 'Deleted user' });
      expect([...OVERTAKEN, 'STEP_UP_REQUIRED']).toContain(linked.code);
      expect(await sql(house, 'select from identities where user_id = $1', [rowId(userOf(person))])).toEqual([]);
      for (const each of [wallet, fresh]) expect((await present(house, {}, { wallet: each })).code).toBe('OK');
    }
  });

  it('of the last two owners one stays', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, other, member] = [await enterHouse(house), await enterHouse(house), await enterHouse(house)];
      await join(house, other, homeOf(one), 'OWNER');
      await join(house, member, homeOf(one), 'MEMBER');
      const codes = (await Promise.all([remove(one), remove(other)])).map(({ code }) => code);
      expect(codes.sort()).toEqual(['LAST_OWNER', 'OK']);
    }
  });
});
