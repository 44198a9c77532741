import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { FULL } from '../support/scale.ts';
import { startTollhouse, type TestTollhouse } from '../support/tollhouse.ts';
import { idOf, link, prefer, signFor, submitLink, toldOf, unlink, walletsOf } from './linker.ts';
import {
  codeOf,
  enterHouse,
  newWallet,
  OVERTAKEN,
  present,
  refresh,
  rowId,
  type SignedIn,
  sessionIdOf,
  sql,
  type Wallet,
} from './visitor.ts';

const ROUNDS = FULL ? 200 : 10;

let house: TestTollhouse;
beforeAll(async () => {
  house = await startTollhouse({ chain: true });
});
afterAll(() => house.stop());

const stored = ({ address }: Wallet): string => address.toLowerCase();

/** Somebody who signed in with the first of their wallets, and has linked the others in this order. */
async function personWith(...wallets: [Wallet, ...Wallet[]]): Promise<SignedIn> {
  const [first, ...others] = wallets;
  const person = await enterHouse(house, first);
  for (const wallet of others) expect((await link(house, person, wallet)).code).toBe('OK');
  return person;
}

async function codeFor({ accessToken }: SignedIn): Promise<string> {
  return codeOf(await house.ask('{ viewer { role } }', {}, { token: accessToken }));
}

describe('unlinking a wallet', () => {
  it('makes it a stranger: signing in with it makes another user', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await personWith(first, second);
    const id = await idOf(house, person, second);
    expect(await unlink(house, person, id)).toEqual({
      code: 'OK',
      data: { identityId: encodeGlobalId('Identity', rowId(id)), signedOut: false, replayed: false },
    });
    expect(await walletsOf(house, person)).toMatchObject([{ address: first.address }]);
    const stranger = await enterHouse(house, second);
    expect(stranger.isNewUser).toBe(true);
    expect(stranger.viewer.user.id).not.toBe(person.viewer.user.id);
    expect((await link(house, person, second)).code).toBe('IDENTITY_LINKED_TO_OTHER_USER');
  });

  it('ends the sessions that it began, and no other', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await personWith(first, second);
    const [byFirst, bySecond, bystander] = [
      await enterHouse(house, first),
      await enterHouse(house, second),
      await enterHouse(house),
    ];
    await unlink(house, person, await idOf(house, person, second));
    expect(await Promise.all([person, byFirst, bySecond, bystander].map(codeFor))).toEqual([
      'OK',
      'OK',
      'UNAUTHENTICATED',
      'OK',
    ]);
    expect((await refresh(house, bySecond.refreshToken)).code).toBe('REFRESH_TOKEN_INVALID');
    const rows = await sql(house, 'select identity_id, end_reason from sessions where id = $1', [
      sessionIdOf(bySecond),
    ]);
    expect(rows).toEqual([{ identity_id: null, end_reason: 'wallet unlinked' }]);
  });

  it('ends the very session that asks, when that was begun with it, and says so', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await personWith(first, second);
    const id = await idOf(house, person, first);
    const answer = await house.ask(
      `mutation ($id: ID!) {
        unlinkIdentity(input: { id: $id }) { signedOut }
        signOut { signedOut }
      }`,
      { id },
      { token: person.accessToken },
    );
    expect(answer.errors).toMatchObject([{ path: ['signOut'], extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await codeFor(person)).toBe('UNAUTHENTICATED');
    const again = await enterHouse(house, second);
    expect(again.viewer).toEqual(person.viewer);
    expect(await walletsOf(house, again)).toMatchObject([{ address: second.address, primary: true }]);
  });

  it('refuses the last one, of an organization’s only owner and of anybody else', async () => {
    const wallet = newWallet();
    const person = await personWith(wallet);
    const id = await idOf(house, person, wallet);
    expect((await unlink(house, person, id)).code).toBe('LAST_IDENTITY');
    await sql(house, `update memberships set role = 'MEMBER' where user_id = $1`, [rowId(person.viewer.user.id)]);
    expect((await unlink(house, person, id)).code).toBe('LAST_IDENTITY');
    expect((await enterHouse(house, wallet)).viewer.user.id).toBe(person.viewer.user.id);
  });

  it('does not know another user’s wallet, or what is none', async () => {
    const wallet = newWallet();
    const [person, other] = [await personWith(newWallet(), newWallet()), await personWith(wallet, newWallet())];
    const theirs = await idOf(house, other, wallet);
    for (const id of [theirs, rowId(theirs), person.viewer.user.id, newId(), '', 'x']) {
      expect([id, (await unlink(house, person, id)).code]).toEqual([id, 'IDENTITY_UNKNOWN']);
      expect([id, (await prefer(house, person, id)).code]).toEqual([id, 'WALLET_UNKNOWN']);
    }
    expect(await walletsOf(house, other)).toHaveLength(2);
    const nobody = await house.ask('mutation ($id: ID!) { unlinkIdentity(input: { id: $id }) { identityId } }', {
      id: theirs,
    });
    expect(codeOf(nobody)).toBe('UNAUTHENTICATED');
  });

  it('with an idempotency key is done once, and answered again', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await personWith(first, second);
    const [firstId, secondId] = [await idOf(house, person, first), await idOf(house, person, second)];
    const [key, other] = [newId(), newId()];
    expect(await prefer(house, person, secondId, other)).toMatchObject({ code: 'OK', data: { replayed: false } });
    expect(await prefer(house, person, firstId, other)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await prefer(house, person, secondId, other)).toMatchObject({ code: 'OK', data: { replayed: true } });
    expect(await unlink(house, person, secondId, key)).toMatchObject({ code: 'OK', data: { replayed: false } });
    expect(await unlink(house, person, secondId, key)).toMatchObject({ code: 'OK', data: { replayed: true } });
    expect((await unlink(house, person, secondId)).code).toBe('IDENTITY_UNKNOWN');
    expect(await walletsOf(house, person)).toHaveLength(1);
  });
});

describe('a wallet that receives an active link’s money', () => {
  const CREATE = `mutation ($input: CreatePaymentLinkInput!) { createPaymentLink(input: $input) { paymentLink { id } } }`;

  async function linkTo(person: SignedIn, wallet: Wallet): Promise<string> {
    const [asset] = await sql(house, `select caip19 from assets where address is null`);
    const input = { title: 'Tea', accepts: [{ asset: asset?.caip19, amount: '1', payTo: wallet.address }] };
    const { data, errors } = await house.ask<{ createPaymentLink: { paymentLink: { id: string } } }>(
      CREATE,
      { input },
      { token: person.accessToken },
    );
    if (!data) throw new Error(JSON.stringify(errors));
    return rowId(data.createPaymentLink.paymentLink.id);
  }

  it.each<[string, string]>([
    ['the link is paused', `update payment_links set status = 'PAUSED' where id = $1`],
    ['the link is deleted', 'update payment_links set deleted_at = now() where id = $1'],
    [
      'the user may no longer write the organization’s payments',
      `update memberships set role = 'MEMBER'
       where organization_id = (select organization_id from payment_links where id = $1)`,
    ],
  ])('cannot go before %s', async (_, change) => {
    const [first, second] = [newWallet(), newWallet()];
    const person = await personWith(first, second);
    const linkId = await linkTo(person, second);
    const id = await idOf(house, person, second);
    expect((await unlink(house, person, id)).code).toBe('WALLET_IN_USE');
    expect(await walletsOf(house, person)).toHaveLength(2);
    await sql(house, change, [linkId]);
    expect((await unlink(house, person, id)).code).toBe('OK');
  });

  it('holds back no other wallet, and counts in every organization of the user', async () => {
    const [first, second, third] = [newWallet(), newWallet(), newWallet()];
    const person = await personWith(first, second, third);
    await linkTo(person, second);
    const other = await enterHouse(house);
    await sql(house, `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`, [
      rowId(other.viewer.organization.id),
      rowId(person.viewer.user.id),
    ]);
    expect((await unlink(house, person, await idOf(house, person, third))).code).toBe('OK');
    await sql(house, 'update sessions set organization_id = $2 where id = $1', [
      sessionIdOf(person),
      rowId(other.viewer.organization.id),
    ]);
    const { token } = await house.resources.tokens.issue({
      sessionId: sessionIdOf(person),
      userId: rowId(person.viewer.user.id),
      organizationId: rowId(other.viewer.organization.id),
    });
    const id = await idOf(house, person, second);
    expect((await unlink(house, { accessToken: token }, id)).code).toBe('WALLET_IN_USE');
  });

  it('may go when a colleague who may write payments has proved the same address', async () => {
    const [first, second] = [newWallet(), newWallet()];
    const [person, colleague] = [await personWith(first, second), await enterHouse(house)];
    await linkTo(person, second);
    const id = await idOf(house, person, second);
    // a contract wallet of the same address, on the asset's chain
    await sql(
      house,
      `insert into identities (user_id, kind, issuer, subject, address, chain_id, wallet_kind, wallet_source)
       select $1, 'WALLET', 'eip155:' || chain_id, $2, $2, chain_id, 'CONTRACT', 'EXTERNAL' from chains`,
      [rowId(colleague.viewer.user.id), stored(second)],
    );
    const join = `insert into memberships (organization_id, user_id, role) values ($1, $2, 'MEMBER')`;
    await sql(house, join, [rowId(person.viewer.organization.id), rowId(colleague.viewer.user.id)]);
    expect((await unlink(house, person, id)).code).toBe('WALLET_IN_USE');
    await sql(house, `update memberships set role = 'ADMIN' where user_id = $1 and role = 'MEMBER'`, [
      rowId(colleague.viewer.user.id),
    ]);
    expect((await unlink(house, person, id)).code).toBe('OK');
  });
});

describe('the primary wallet', () => {
  it('is the first one until another is preferred, and one at any time', async () => {
    const [first, second, third] = [newWallet(), newWallet(), newWallet()];
    const person = await personWith(first, second, third);
    const primaries = async () =>
      (await walletsOf(house, person)).filter(({ primary }) => primary).map(({ address }) => address);
    expect(await primaries()).toEqual([first.address]);
    const id = await idOf(house, person, third);
    expect(await prefer(house, person, id)).toMatchObject({
      code: 'OK',
      data: { wallet: { id, address: third.address, primary: true } },
    });
    expect(await primaries()).toEqual([third.address]);
    // the same answer again, and nothing is told twice
    expect(await prefer(house, person, id)).toMatchObject({ code: 'OK', data: { wallet: { id, primary: true } } });
    expect(await toldOf(house, person.viewer.organization.id, person)).toEqual([
      `wallet.linked ${stored(second)} 1`,
      `wallet.linked ${stored(third)} 1`,
      `wallet.primary-changed ${stored(third)} 2`,
    ]);
  });

  it('that is unlinked is followed by the oldest that is left, and all of it is told', async () => {
    const [first, second, third] = [newWallet(), newWallet(), newWallet()];
    const person = await personWith(first, second, third);
    await prefer(house, person, await idOf(house, person, third));
    await unlink(house, person, await idOf(house, person, third));
    expect(await walletsOf(house, person)).toMatchObject([
      { address: first.address, primary: true },
      { address: second.address, primary: false },
    ]);
    expect((await toldOf(house, person.viewer.organization.id, person)).slice(2)).toEqual([
      `wallet.primary-changed ${stored(third)} 2`,
      `wallet.unlinked ${stored(third)} 3`,
      `wallet.primary-changed ${stored(first)} 2`,
    ]);
  });

  it('is one by the database’s own word', async () => {
    const person = await personWith(newWallet(), newWallet());
    const both = sql(house, 'update identities set is_primary = true where user_id = $1', [
      rowId(person.viewer.user.id),
    ]);
    await expect(both).rejects.toMatchObject({ code: '23505', constraint: 'identities_primary_key' });
  });
});

describe('at one instant', () => {
  it(`two unlinks of the last two wallets leave one, ${ROUNDS} times`, { timeout: 600_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const wallets = [newWallet(), newWallet()] as const;
      const person = await personWith(...wallets);
      const sessions = [await enterHouse(house, wallets[0]), await enterHouse(house, wallets[1])] as const;
      const ids = await Promise.all(wallets.map((wallet) => idOf(house, person, wallet)));
      const outcomes = await Promise.all([
        unlink(house, sessions[1], ids[0] ?? ''),
        unlink(house, sessions[0], ids[1] ?? ''),
      ]);
      // who waited for the other one finds the own wallet the last, or the own session over
      expect(outcomes.filter(({ code }) => code === 'OK')).toHaveLength(1);
      expect(['LAST_IDENTITY', 'UNAUTHENTICATED']).toContain(outcomes.find(({ code }) => code !== 'OK')?.code);
      const [left] = await sql(house, 'select count(*)::int as count from identities where user_id = $1', [
        rowId(person.viewer.user.id),
      ]);
      expect(left).toEqual({ count: 1 });
    }
  });

  it(`linking and unlinking leave a wallet, a primary one, ${ROUNDS} times`, { timeout: 600_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first, second] = [newWallet(), newWallet()];
      const person = await personWith(first);
      const id = await idOf(house, person, first);
      const signed = await signFor(house, person.accessToken, 'LINK', second);
      const other = await enterHouse(house, first);
      const [linked, unlinked] = await Promise.all([
        submitLink(house, person.accessToken, signed),
        unlink(house, other, id),
      ]);
      expect([
        ['OK', 'OK'],
        ['OK', 'LAST_IDENTITY'],
      ]).toContainEqual([overtaken(linked.code), unlinked.code]);
      const rows = await sql(house, 'select is_primary from identities where user_id = $1', [
        rowId(person.viewer.user.id),
      ]);
      expect(rows.filter(({ is_primary }) => is_primary)).toHaveLength(1);
      expect(rows).toHaveLength(unlinked.code === 'OK' ? 1 : 2);
    }
  });

  it(`signing in and unlinking never leave the session of a stranger’s wallet, ${ROUNDS} times`, {
    timeout: 600_000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first, second] = [newWallet(), newWallet()];
      const person = await personWith(first, second);
      const id = await idOf(house, person, second);
      const [visit, unlinked] = await Promise.all([present(house, {}, { wallet: second }), unlink(house, person, id)]);
      expect(unlinked.code).toBe('OK');
      if (visit.signedIn?.isNewUser) {
        expect(visit.signedIn.viewer.user.id).not.toBe(person.viewer.user.id);
      } else {
        // it was in before the wallet went, and is out now; its answer may have been overtaken
        expect(OVERTAKEN).toContain(visit.code);
        const alive = await sql(
          house,
          `select from sessions s left join identities i on i.id = s.identity_id
           where s.user_id = $1 and s.ended_at is null and (i.id is null or i.address = $2)`,
          [rowId(person.viewer.user.id), stored(second)],
        );
        expect(alive).toEqual([]);
      }
    }
  });
});

/** Linking was done, and the unlinking ended its session before the wallet was read for the answer. */
function overtaken(code: string): string {
  return code === 'UNAUTHENTICATED' ? 'OK' : code;
}
