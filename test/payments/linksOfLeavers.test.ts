import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeGlobalId, encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { leave, removeMember, updateMembership } from '../tenancy/memberChanges.ts';
import { createRole, updateRole } from '../tenancy/roleMaker.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, secondShop } from './inbox.ts';
import { ask, createLink, order, payerOf, updateLink } from './linkBench.ts';
import { ETH, type Market, makeOrder, newPayer, openMarket, stateOf, TUSD } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(async () => {
  // what is said of each way to pay, and of each link, is what the members and their wallets say now
  expect(
    await market.sql(`
      select a.id, a.unproved
      from payment_link_accepts a join assets s on s.id = a.asset_id
      where a.unproved = stands_for(a.organization_id, a.pay_to, s.chain_id)
      union all
      select l.id, l.unproved from payment_links l where l.unproved <> is_unproved(l.organization_id, l.id)`),
  ).toEqual([]);
  await expectBooksToBalance(market);
});
afterAll(() => market.close());

interface Team {
  readonly boss: Person;
  /** Somebody of the same organization, whose wallet its link is paid at. */
  readonly seller: Person;
  readonly link: { readonly id: string; readonly slug: string };
}

/** A boss, and a link that a seller has made to their own wallet and the boss’s, unless something else is said. */
async function team(terms: Record<string, unknown> = {}): Promise<Team> {
  const boss = await signIn(market.house);
  const seller = await colleague(market, boss, 'ADMIN');
  const { data, code } = await createLink(market, { inactiveMessage: 'We have moved.', ...terms }, seller);
  if (!data) throw new Error(`No link was made: ${code}`);
  return { boss, seller, link: { id: data.id, slug: data.slug } };
}

async function membershipOf({ seller }: Team): Promise<string> {
  const [row] = await market.sql<{ id: string }>(
    `select m.id from memberships m join identities i on i.user_id = m.user_id
     where i.address = $1 and m.role <> 'OWNER'`,
    seller.account.address.toLowerCase(),
  );
  return encodeGlobalId('Membership', row?.id ?? '');
}

async function remove(all: Team): Promise<void> {
  const id = await membershipOf(all);
  expect((await removeMember(market.house, all.boss.accessToken, { id })).code).toBe('OK');
}

/** Makes the seller a member again, by the hand of a superuser. */
async function comeBack(all: Team): Promise<void> {
  await market.sql(
    `update memberships set status = 'ACTIVE', left_at = null where id = $1`,
    decodeGlobalId(await membershipOf(all))?.id,
  );
}

/** What a payer sees. */
async function checkout(slug: string): Promise<unknown> {
  const { data } = await ask<{ checkout: unknown }>(
    market,
    'query ($slug: String!) { checkout(slug: $slug) { status effectiveStatus message accepts { payeeProved } } }',
    { slug },
    null,
  );
  return data?.checkout;
}

/** What the merchant sees of a link. */
async function shown(by: Person, id: string): Promise<unknown> {
  const { data } = await ask<{ node: unknown }>(
    market,
    `query ($id: ID!) { node(id: $id) {
      ... on PaymentLink { effectiveStatus accepts { payeeProved asset { symbol } } } } }`,
    { id },
    by,
  );
  return data?.node;
}

async function found(by: Person, state: string): Promise<readonly string[]> {
  const { data } = await ask<{ organization: { paymentLinks: { edges: { node: { id: string } }[] } } }>(
    market,
    `query ($states: [PaymentLinkState!]) { organization { paymentLinks(filter: { states: $states }) {
      edges { node { id } } } } }`,
    { states: [state] },
    by,
  );
  return data?.organization.paymentLinks.edges.map(({ node }) => node.id) ?? [];
}

/** The ways to lose whoever stands for a payee, and back. */
const WAYS: readonly (readonly [
  name: string,
  lose: (all: Team) => Promise<void>,
  regain: (all: Team) => Promise<void>,
])[] = [
  ['was removed, until they are a member again', remove, comeBack],
  [
    'has left, until they come back',
    async ({ seller }) => expect(await leave(market.house, seller.accessToken)).toBe('OK'),
    comeBack,
  ],
  [
    'may not write payments any more, until they may',
    async (all) => {
      const id = await membershipOf(all);
      const { code } = await updateMembership(market.house, all.boss.accessToken, { id, role: 'MEMBER' });
      expect(code).toBe('OK');
    },
    async (all) => {
      const id = await membershipOf(all);
      const { code } = await updateMembership(market.house, all.boss.accessToken, { id, role: 'ADMIN' });
      expect(code).toBe('OK');
    },
  ],
  [
    'has given the wallet up, until somebody of the organization proves it',
    async ({ seller }) => {
      await market.sql('delete from identities where address = $1', seller.account.address.toLowerCase());
    },
    async ({ boss, seller }) => {
      const { account } = await signIn(market.house, seller.account);
      // as merging users does
      await market.sql(
        `update identities set is_primary = false, user_id = (select user_id from identities where address = $1)
           where address = $2`,
        boss.account.address.toLowerCase(),
        account.address.toLowerCase(),
      );
    },
  ],
];

describe('a link whose payee', () => {
  it.each(WAYS)('%s takes no orders', async (_, lose, regain) => {
    const all = await team();
    const { boss, link } = all;
    const payer = await newPayer(market);
    await market.watch();
    const before = await makeOrder(market, { slug: link.slug, payer: payer.address });
    expect(await checkout(link.slug)).toMatchObject({ effectiveStatus: 'ACTIVE', message: null });

    await lose(all);
    expect(await order(market, link.slug)).toMatchObject({
      code: 'LINK_INACTIVE',
      facts: { status: 'PAYEE_NOT_PROVED', message: 'We have moved.' },
    });
    expect(await checkout(link.slug)).toEqual({
      status: 'ACTIVE',
      effectiveStatus: 'PAYEE_NOT_PROVED',
      message: 'We have moved.',
      accepts: [{ payeeProved: false }],
    });
    expect(await shown(boss, link.id)).toEqual({
      effectiveStatus: 'PAYEE_NOT_PROVED',
      accepts: [{ payeeProved: false, asset: { symbol: 'TUSD' } }],
    });
    expect(await found(boss, 'PAYEE_NOT_PROVED')).toEqual([link.id]);
    expect(await found(boss, 'ACTIVE')).toEqual([]);
    // what was begun before goes on as it was
    await payer.pay(before);
    await market.mine();
    await market.watch();
    expect((await stateOf(market, before)).status).toBe('PAID');

    await regain(all);
    expect((await order(market, link.slug)).code).toBe('OK');
    expect(await checkout(link.slug)).toMatchObject({ effectiveStatus: 'ACTIVE', accepts: [{ payeeProved: true }] });
    expect(await found(boss, 'PAYEE_NOT_PROVED')).toEqual([]);
    expect(await found(boss, 'ACTIVE')).toEqual([link.id]);
  });

  it('has a custom role is asked for anew whenever that role changes', async () => {
    const all = await team();
    const { house } = market;
    const { boss, link } = all;
    const permissions = ['payment-links:read', 'events:read', 'payments:read', 'payments:write'];
    const made = await createRole(house, boss.accessToken, { name: 'Tills', permissions });
    expect(made.code).toBe('OK');
    const roleId = made.data?.role.id ?? '';
    const id = await membershipOf(all);
    const given = await updateMembership(house, boss.accessToken, { id, role: 'MEMBER', roleId });
    expect(given.code).toBe('OK');
    expect((await order(market, link.slug)).code).toBe('OK');
    await updateRole(house, boss.accessToken, {
      id: roleId,
      permissions: ['payment-links:read', 'events:read', 'payments:read'],
    });
    expect((await order(market, link.slug, { payer: payerOf(2) })).code).toBe('LINK_INACTIVE');
    expect(await found(boss, 'PAYEE_NOT_PROVED')).toEqual([link.id]);
    await updateRole(house, boss.accessToken, { id: roleId, permissions });
    expect((await order(market, link.slug, { payer: payerOf(2) })).code).toBe('OK');
  });

  it('has left goes on where it is paid to others, and takes no orders to them alone', async () => {
    const boss = await signIn(market.house);
    const seller = await colleague(market, boss, 'ADMIN');
    const accepts = [
      { asset: TUSD, amount: '1' },
      { asset: ETH, amount: '1', payTo: boss.account.address },
    ];
    const { data } = await createLink(market, { accepts }, seller);
    const link = { id: data?.id ?? '', slug: data?.slug ?? '' };
    await remove({ boss, seller, link });
    expect((await order(market, link.slug, { asset: TUSD })).code).toBe('PAYEE_NOT_PROVED');
    expect((await order(market, link.slug, { asset: ETH })).code).toBe('OK');
    expect(await checkout(link.slug)).toMatchObject({
      effectiveStatus: 'ACTIVE',
      accepts: [{ payeeProved: false }, { payeeProved: true }],
    });
    expect(await found(boss, 'ACTIVE')).toEqual([link.id]);
    // and as a whole, once it is paid to somebody who is there
    const mended = [{ asset: TUSD, amount: '1', payTo: boss.account.address }];
    expect((await updateLink(market, link.id, { accepts: mended }, boss)).code).toBe('OK');
    expect((await order(market, link.slug, { asset: TUSD })).code).toBe('OK');
  });

  it('has left is asked for in that organization alone', async () => {
    const all = await team();
    const own = await secondShop(market, all.seller);
    const { data } = await createLink(market, {}, own);
    await remove(all);
    expect((await order(market, all.link.slug)).code).toBe('LINK_INACTIVE');
    expect((await order(market, data?.slug ?? '')).code).toBe('OK');
    expect(await found(own, 'PAYEE_NOT_PROVED')).toEqual([]);
  });

  it('has left takes orders again once its prices name another', async () => {
    const all = await team();
    const { boss, link } = all;
    await remove(all);
    const accepts = [{ asset: TUSD, amount: '2', payTo: boss.account.address }];
    expect((await updateLink(market, link.id, { accepts }, boss)).code).toBe('OK');
    expect(await shown(boss, link.id)).toMatchObject({ effectiveStatus: 'ACTIVE', accepts: [{ payeeProved: true }] });
    expect((await order(market, link.slug)).code).toBe('OK');
  });
});

describe('at one instant', () => {
  it('no order is made behind the end of the membership, whoever asks while it ends', async () => {
    const all = await team();
    const id = await membershipOf(all);
    const asked = Array.from({ length: 12 }, (_, index) =>
      order(market, all.link.slug, { payer: payerOf(index + 10) }),
    );
    const removed = removeMember(market.house, all.boss.accessToken, { id });
    const during = (await Promise.all(asked)).map(({ code }) => code);
    expect((await removed).code).toBe('OK');
    expect(new Set(during).size).toBeGreaterThan(0);
    expect(during.filter((code) => code !== 'OK' && code !== 'LINK_INACTIVE')).toEqual([]);
    const after = await Promise.all(
      Array.from({ length: 4 }, (_, index) => order(market, all.link.slug, { payer: payerOf(index + 50) })),
    );
    expect(after.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'LINK_INACTIVE'));
  });

  it('a link that is made while its payee leaves says so', async () => {
    const all = await team();
    const { boss, seller } = all;
    const leaver = new pg.Client({ connectionString: market.house.database.adminUrl });
    await leaver.connect();
    await leaver.query('begin');
    await leaver.query(`update memberships set status = 'LEFT' where id = $1`, [
      decodeGlobalId(await membershipOf(all))?.id,
    ]);
    const making = createLink(market, { accepts: [{ payTo: seller.account.address, amount: '3' }] }, boss);
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
    while ((await market.sql(waiting)).length === 0) await sleep(5);
    await leaver.query('commit');
    await leaver.end();
    const { data, code } = await making;
    expect(code).toBe('OK');
    expect(data).toMatchObject({ effectiveStatus: 'PAYEE_NOT_PROVED' });
    expect((await order(market, data?.slug ?? '')).code).toBe('LINK_INACTIVE');
  });
});
