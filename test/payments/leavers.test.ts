import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleRefunds } from '../../src/payments/commands/settleRefunds.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, decide, type Entry, entryOf, inboxOf, refundsOf, secondShop } from './inbox.ts';
import { doToLink } from './linkBench.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
  timeOfHead,
  toldOf,
} from './market.ts';

let market: Market;
let stranger: Payer;
beforeAll(async () => {
  market = await openMarket();
  stranger = await newPayer(market);
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

interface Team {
  readonly boss: Person;
  /** Somebody of the same organization, whose wallet its link is paid at. */
  readonly seller: Person;
  readonly link: { readonly id: string; readonly slug: string; readonly payTo: string };
}

async function team(): Promise<Team> {
  const boss = await signIn(market.house);
  const seller = await colleague(market, boss, 'ADMIN');
  const link = await makeLink(market, { by: seller });
  await market.watch();
  return { boss, seller, link };
}

/** Ends the seller's membership, as the boss asks for it. */
async function remove({ boss, seller }: Team): Promise<void> {
  const [row] = await market.sql<{ id: string }>(
    `select m.id from memberships m join identities i on i.user_id = m.user_id
     where i.address = $1 and m.organization_id = (
       select s.organization_id from memberships s join identities b on b.user_id = s.user_id
       where b.address = $2 and s.role = 'OWNER'
     )`,
    seller.account.address.toLowerCase(),
    boss.account.address.toLowerCase(),
  );
  const { errors } = await market.house.ask(
    'mutation ($id: ID!) { removeMember(input: { id: $id }) { membership { status } } }',
    { id: encodeGlobalId('Membership', row?.id ?? '') },
    { token: boss.accessToken },
  );
  expect(errors).toEqual([]);
}

async function entry(by: Person, hash: `0x${string}`): Promise<Entry> {
  const found = await entryOf(market, by, hash);
  if (!found) throw new Error('The inbox does not have it.');
  return found;
}

async function claim(by: Person, orderId: string, transactionHash: string): Promise<string> {
  const { errors } = await market.house.ask(
    `mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) { paymentOrder { status } } }`,
    { input: { orderId, transactionHash } },
    { token: by.accessToken },
  );
  return errors[0]?.extensions.code ?? 'OK';
}

describe('money that comes to a wallet of somebody who has left', () => {
  it('is neither assigned, refunded nor claimed by the organization, and can be put aside', async () => {
    const all = await team();
    const { boss, link } = all;
    const order = await makeOrder(market, { slug: link.slug, payer: (await newPayer(market)).address });
    const orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    const before = await stranger.transfer(link.payTo, 5n);
    await market.watch();
    const { id: early } = await entry(boss, before.hash);
    // while the seller is there, the boss decides
    expect((await decide(market, boss, 'assignUnmatchedPayment', { id: early, orderId })).code).toBe('OK');
    await remove(all);
    const { hash } = await stranger.transfer(link.payTo, 7n);
    await market.watch();
    const { id } = await entry(boss, hash);
    expect((await decide(market, boss, 'assignUnmatchedPayment', { id, orderId })).code).toBe('PAYEE_NOT_PROVED');
    expect((await decide(market, boss, 'refundUnmatchedPayment', { id })).code).toBe('PAYEE_NOT_PROVED');
    expect(await claim(boss, orderId, hash)).toBe('PAYEE_NOT_PROVED');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 5n });
    expect(await toldOf(market, order)).not.toContain('claimed');
    expect((await decide(market, boss, 'ignoreUnmatchedPayment', { id, note: 'not ours' })).code).toBe('OK');
  });

  it('is their own to decide about where they are paid now', async () => {
    const all = await team();
    const { boss, seller, link } = all;
    const own = await secondShop(market, seller);
    const { slug } = await makeLink(market, { by: own });
    await remove(all);
    const order = await makeOrder(market, { slug, payer: (await newPayer(market)).address });
    const orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    const { hash } = await stranger.transfer(link.payTo, 9n);
    await market.watch();
    const theirs = await entry(boss, hash);
    expect((await decide(market, boss, 'refundUnmatchedPayment', { id: theirs.id })).code).toBe('PAYEE_NOT_PROVED');
    const { id } = await entry(own, hash);
    expect((await decide(market, own, 'assignUnmatchedPayment', { id, orderId })).code).toBe('OK');
    await market.watch();
    expect((await entry(boss, hash)).status).toBe('TAKEN');
  });

  it('is claimed by a member while they are there', async () => {
    const { boss, link } = await team();
    const order = await makeOrder(market, { slug: link.slug, payer: (await newPayer(market)).address });
    const { hash } = await stranger.transfer(link.payTo, 12_500_000n);
    await market.watch();
    const orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    expect(await claim(boss, orderId, hash)).toBe('OK');
    await market.mine();
    await market.watch();
    expect((await stateOf(market, order)).status).toBe('PAID');
  });

  it('is not asked for by a link that is published anew', async () => {
    const all = await team();
    const { boss, link } = all;
    expect(await doToLink(market, 'pause', link.id, { by: boss })).toBe('PAUSED');
    expect(await doToLink(market, 'activate', link.id, { by: boss })).toBe('ACTIVE');
    expect(await doToLink(market, 'pause', link.id, { by: boss })).toBe('PAUSED');
    await remove(all);
    expect(await doToLink(market, 'activate', link.id, { by: boss })).toBe('PAYEE_NOT_PROVED');
    expect(await doToLink(market, 'archive', link.id, { by: boss })).toBe('ARCHIVED');
  });
});

describe('a link that was deleted', () => {
  it('of who has left puts nothing into the inbox but what its own payers send', async () => {
    const all = await team();
    const { boss, link } = all;
    const payer = await newPayer(market);
    const order = await makeOrder(market, { slug: link.slug, payer: payer.address });
    const seen = await stranger.transfer(link.payTo, 3n);
    await market.watch();
    expect((await entry(boss, seen.hash)).status).toBe('OPEN');
    await market.house.ask(
      'mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }',
      { token: order.token },
    );
    expect(await doToLink(market, 'archive', link.id, { by: boss })).toBe('ARCHIVED');
    await doToLink(market, 'delete', link.id, { by: boss });
    await market.sql(
      `update payment_orders set created_at = '2020-01-01', expires_at = '2020-01-02', late_until = null
       where reference = decode($1, 'hex')`,
      order.reference.slice(2),
    );
    // as long as the seller is there it is the organization’s
    const kept = await stranger.transfer(link.payTo, 6n);
    await market.watch();
    expect((await entry(boss, kept.hash)).status).toBe('OPEN');
    await remove(all);
    const [unseen, meant] = [await stranger.transfer(link.payTo, 4n), await payer.transfer(link.payTo, 5n)];
    await market.watch();
    const hashes = (await inboxOf(market, boss)).map(({ transaction }) => transaction.hash);
    expect(hashes.sort()).toEqual([seen.hash, kept.hash, meant.hash].sort());
    expect(hashes).not.toContain(unseen.hash);
  });
});

describe('an entry of the inbox', () => {
  it('goes to no order of which something is being refunded, nor of another payee', async () => {
    const { boss, link } = await team();
    const payer = await newPayer(market);
    const order = await makeOrder(market, { slug: link.slug, payer: payer.address });
    const orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    await payer.pay(order, { units: 6_000_000n });
    const { hash } = await stranger.transfer(link.payTo, 6_500_000n);
    await market.watch();
    const { id } = await entry(boss, hash);
    const { slug } = await makeLink(market, { by: boss });
    const elsewhere = await makeOrder(market, { slug, payer: payer.address });
    const elsewhereId = encodeGlobalId('PaymentOrder', (await stateOf(market, elsewhere)).id);
    const assign = (to: string) => decide(market, boss, 'assignUnmatchedPayment', { id, orderId: to });
    expect((await assign(elsewhereId)).code).toBe('ASSET_MISMATCH');
    const asked = await decide(market, boss, 'requestRefund', { orderId, amount: '6' });
    expect(asked.code).toBe('OK');
    expect((await assign(orderId)).code).toBe('ORDER_TAKES_NOTHING');
    expect((await decide(market, boss, 'cancelRefund', { id: asked.answer?.refund.id })).code).toBe('OK');
    expect((await assign(orderId)).code).toBe('OK');
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('that makes enough of a part keeps the part from being given back', async () => {
    const { boss, link } = await team();
    const payer = await newPayer(market);
    const order = await makeOrder(market, { slug: link.slug, payer: payer.address });
    const { id: uuid } = await stateOf(market, order);
    await payer.pay(order, { units: 6_000_000n });
    const { hash } = await stranger.transfer(link.payTo, 6_500_000n);
    await market.mine();
    await market.watch();
    await setDeadline(market, order, await timeOfHead(market));
    await sleep(1_100);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 6_000_000n });
    await market.sql(`update payment_orders set under_policy = 'REFUND' where id = $1`, uuid);
    const { id } = await entry(boss, hash);
    const orderId = encodeGlobalId('PaymentOrder', uuid);
    expect((await decide(market, boss, 'assignUnmatchedPayment', { id, orderId })).code).toBe('OK');
    const attempt = async (work: Promise<unknown>) => work.then(() => true);
    await settleRefunds(market.worker, { chain: market.registered(), attempt });
    expect((await refundsOf(market, boss, uuid)).refunds).toEqual([]);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await refundsOf(market, boss, uuid)).toEqual({ refund: 'NONE', refunds: [] });
  });

  it('is reversed when its transfer is mined again for somebody else, and opens for them', async () => {
    const [shop, other] = [await signIn(market.house), await signIn(market.house)];
    const { payTo } = await makeLink(market, { by: shop });
    const { payTo: elsewhere } = await makeLink(market, { by: other });
    await market.watch();
    const { hash } = await stranger.transfer(payTo, 11n);
    await market.watch();
    expect((await entry(shop, hash)).status).toBe('OPEN');
    const again = `update chain_transfers
      set recipient = $2, block_hash = '0x' || repeat($3, 64), judged_at = null
      where transaction_hash = $1`;
    await market.sql(again, hash, elsewhere, 'a');
    await market.watch();
    expect(await entry(shop, hash)).toMatchObject({ status: 'REVERSED', transaction: { status: 'ORPHANED' } });
    expect(await entry(other, hash)).toMatchObject({
      status: 'OPEN',
      transaction: { status: 'INCLUDED', units: '11' },
    });
    await market.sql(again, hash, payTo, 'b');
    await market.watch();
    expect(await entry(shop, hash)).toMatchObject({ status: 'OPEN', transaction: { status: 'INCLUDED' } });
    expect(await entry(other, hash)).toMatchObject({ status: 'REVERSED' });
  });
});
