import pg from 'pg';
import type { Hex } from 'viem';
import { zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { settleRefund } from '../../src/payments/commands/settleRefund.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, decide, entryOf, refundsOf, reorganize, sendAgain, toldAbout } from './inbox.ts';
import { ETH, type Market, makeLink, newPayer, openMarket, sendFrom, stateOf, transferCall } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const someone = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

const { sell, request, addressed, sendBack, stateIn, settle, messageOf, confirm } = refunding(() => market);

describe('a refund', () => {
  it('goes where the payer has signed, and is done when the chain says so, in parts and in full', async () => {
    const { shop, payer, order, uuid, orderId } = await sell();
    const { id } = await request(shop, orderId, '5');
    expect(await refundsOf(market, shop, uuid)).toMatchObject({
      refund: 'PENDING',
      refunds: [{ status: 'REQUESTED' }],
    });
    const destination = someone();
    const shown = await messageOf(order, destination);
    expect(shown).toMatchObject({ id, status: 'REQUESTED', amount: '5', destination: null });
    const signature = await payer.account.signMessage({ message: shown?.message ?? '' });
    const say = (given: Record<string, unknown>) =>
      confirm({ token: order.token, refundId: id, destination, signer: payer.address, signature, ...given });

    // a contract could have signed otherwise, and there is no node here to ask it
    expect(await say({ destination: someone() })).toBe('SIGNATURE_CHECK_UNSUPPORTED');
    const other = privateKeyToAccount(generatePrivateKey());
    const forged = await other.signMessage({ message: shown?.message ?? '' });
    expect(await say({ signer: other.address, signature: forged })).toBe('REFUND_SIGNER_REFUSED');
    expect(await say({ signature: forged })).toBe('SIGNATURE_CHECK_UNSUPPORTED');
    expect(await say({ token: 'nobodys' })).toBe('REFUND_NOT_FOUND');
    expect(await say({ refundId: orderId })).toBe('REFUND_NOT_FOUND');
    expect(await say({})).toBe('OK');
    expect(await say({})).toBe('OK');

    const pending = await stateIn(shop, orderId, id);
    expect(pending).toMatchObject({
      status: 'PENDING',
      destinationSource: 'SENDER',
      paymentRequest: { to: expect.stringMatching(/^0x/), value: '0', data: transferCall(destination, 5_000_000n) },
    });
    const { hash } = await sendBack(shop, pending);
    await market.watch();
    expect(await stateIn(shop, orderId, id)).toMatchObject({
      status: 'SENT',
      paymentRequest: null,
      transaction: { hash },
    });
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });
    expect((await refundsOf(market, shop, uuid)).refund).toBe('PARTIAL');
    expect(await toldAbout(market, 'payment-refund', id)).toEqual(['requested', 'addressed', 'sent', 'completed']);
    expect((await toldAbout(market, 'payment-order', orderId)).slice(-2)).toEqual(['refund-changed', 'refund-changed']);

    const rest = await request(shop, orderId);
    expect(rest.units).toBe('7500000');
    const { answer } = await decide(market, shop, 'setRefundDestination', {
      id: rest.id,
      destination,
      reason: 'the same as before',
    });
    await sendBack(shop, answer?.refund ?? rest);
    await settle();
    expect((await refundsOf(market, shop, uuid)).refund).toBe('FULL');
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('REFUND_EXCEEDS');
    expect(await stateOf(market, order)).toMatchObject({ credited: 12_500_000n });
  });

  it('goes where an owner says, with a reason, once; never where money would be lost', async () => {
    const { shop, payTo, orderId } = await sell(ETH);
    const { id } = await request(shop, orderId, '0.25');
    const [admin, member] = [await colleague(market, shop, 'ADMIN'), await colleague(market, shop, 'MEMBER')];
    const foreign = await signIn(market.house);
    const destination = someone();
    const say = async (by: Person | null, given: Record<string, unknown> = {}): Promise<string> =>
      (await decide(market, by, 'setRefundDestination', { id, destination, reason: 'asked by phone', ...given })).code;
    expect(await say(admin)).toBe('DESTINATION_NEEDS_OWNER');
    expect(await say(member)).toBe('FORBIDDEN');
    expect(await say(foreign)).toBe('REFUND_NOT_FOUND');
    expect(await say(null)).toBe('UNAUTHENTICATED');
    expect(await say(shop, { reason: '' })).toBe('BAD_USER_INPUT');
    expect(await say(shop, { destination: zeroAddress })).toBe('DESTINATION_REFUSED');
    expect(await say(shop, { destination: payTo })).toBe('DESTINATION_REFUSED');
    expect(await say(shop)).toBe('OK');
    expect(await say(shop, { destination: someone() })).toBe('REFUND_CLOSED');
    const pending = await stateIn(shop, orderId, id);
    expect(pending).toMatchObject({
      destinationSource: 'OWNER',
      paymentRequest: { value: (10n ** 18n / 4n).toString(), data: '0x' },
    });
    await sendBack(shop, pending);
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });

    const inTokens = await sell();
    const { id: other } = await request(inTokens.shop, inTokens.orderId);
    const words = { id: other, destination: TEST_TOKEN_ADDRESS, reason: 'x' };
    expect((await decide(market, inTokens.shop, 'setRefundDestination', words)).code).toBe('DESTINATION_REFUSED');
  });

  it('is never more than what was credited, of fifty at one instant', async () => {
    const { shop, uuid, orderId } = await sell();
    const asked = await Promise.all(
      Array.from({ length: 50 }, () => decide(market, shop, 'requestRefund', { orderId, amount: '1' })),
    );
    const done = asked.filter(({ code }) => code === 'OK');
    expect(done).toHaveLength(12);
    expect(new Set(asked.map(({ code }) => code))).toEqual(new Set(['OK', 'REFUND_EXCEEDS']));
    const [{ sum } = { sum: '' }] = await market.sql<{ sum: string }>(
      'select sum(units)::text as sum from payment_refunds where payment_order_id = $1',
      uuid,
    );
    expect(sum).toBe('12000000');
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '0.500001' })).code).toBe('REFUND_EXCEEDS');
    const [first] = done;
    await decide(market, shop, 'cancelRefund', { id: first?.answer?.refund.id });
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '1.5' })).code).toBe('OK');
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '0' })).code).toBe('AMOUNT_INVALID');
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '0.0000001' })).code).toBe('AMOUNT_INVALID');
  });

  it('is asked for and called off by whoever may write payments, once for each key', async () => {
    const { shop, uuid, orderId } = await sell();
    const [admin, member] = [await colleague(market, shop, 'ADMIN'), await colleague(market, shop, 'MEMBER')];
    const foreign = await signIn(market.house);
    expect((await decide(market, member, 'requestRefund', { orderId })).code).toBe('FORBIDDEN');
    expect((await decide(market, foreign, 'requestRefund', { orderId })).code).toBe('ORDER_NOT_FOUND');
    const input = { orderId, amount: '2', idempotencyKey: 'two-of-it-and-no-more' };
    const first = await decide(market, admin, 'requestRefund', input);
    expect(await decide(market, admin, 'requestRefund', input)).toMatchObject({
      answer: { refund: { id: first.answer?.refund.id }, replayed: true },
    });
    const id = first.answer?.refund.id;
    expect((await decide(market, member, 'cancelRefund', { id })).code).toBe('FORBIDDEN');
    expect((await decide(market, foreign, 'cancelRefund', { id })).code).toBe('REFUND_NOT_FOUND');
    expect((await decide(market, admin, 'cancelRefund', { id })).code).toBe('OK');
    expect((await decide(market, admin, 'cancelRefund', { id })).code).toBe('REFUND_CLOSED');
    expect(await refundsOf(market, shop, uuid)).toMatchObject({ refund: 'NONE', refunds: [{ status: 'CANCELED' }] });
  });

  it('is one transfer from the payee to its destination, of exactly so much, and each transfer is one refund', async () => {
    const { shop, uuid, orderId, payer } = await sell();
    const destination = someone();
    const early = await sendFrom(market.chain, shop.account, {
      to: TEST_TOKEN_ADDRESS,
      data: transferCall(destination, 2_000_000n),
    });
    await market.watch();
    const [one, two] = [
      await addressed(shop, orderId, '2', destination),
      await addressed(shop, orderId, '2', destination),
    ];
    await payer.transfer(destination, 2_000_000n);
    for (const units of [1_999_999n, 2_000_001n]) {
      await sendFrom(market.chain, shop.account, { to: TEST_TOKEN_ADDRESS, data: transferCall(destination, units) });
    }
    await settle();
    const statuses = async (): Promise<string[]> =>
      (await refundsOf(market, shop, uuid)).refunds.map(({ status }) => status).sort();
    expect(await statuses()).toEqual(['PENDING', 'PENDING']);
    const { hash } = await sendBack(shop, one);
    await settle();
    expect(await statuses()).toEqual(['COMPLETED', 'PENDING']);
    await sendBack(shop, two);
    await settle();
    expect(await statuses()).toEqual(['COMPLETED', 'COMPLETED']);
    const hashes = (await refundsOf(market, shop, uuid)).refunds.map(({ transaction }) => transaction?.hash);
    expect(new Set(hashes).size).toBe(2);
    expect(hashes).toContain(hash);
    expect(hashes).not.toContain(early.hash);
  });

  it('to another payee of the organization is done, and stands in no inbox', async () => {
    const { shop, orderId } = await sell();
    const other = await colleague(market, shop, 'ADMIN');
    await makeLink(market, { by: other });
    await market.watch();
    const refund = await addressed(shop, orderId, '2', other.account.address);
    const { hash } = await sendBack(shop, refund);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED', transaction: { hash } });
    expect((await entryOf(market, shop, hash))?.status ?? 'TAKEN').toBe('TAKEN');
    // and what somebody else sends there stands in it
    const { hash: given } = await (await newPayer(market)).transfer(other.account.address, 2_000_000n);
    await settle();
    expect(await entryOf(market, shop, given)).toMatchObject({ status: 'OPEN' });
  });

  it('that is settled and called off at one instant waits for its order, and holds nothing that the other needs', async () => {
    const { shop, uuid, orderId } = await sell();
    const { id } = await addressed(shop, orderId, '2', someone());
    await sendBack(shop, await stateIn(shop, orderId, id));
    await followChain(market.worker, market.registered(), market.reader);
    await market.sql('update chain_transfers set judged_at = clock_timestamp() where judged_at is null');
    const refundId = Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';
    const [row] = await market.sql<{ organization_id: string }>(
      'select organization_id from payment_orders where id = $1',
      uuid,
    );
    const organizationId = row?.organization_id ?? '';
    const other = new pg.Client({ connectionString: market.house.database.adminUrl });
    await other.connect();
    await other.query('begin');
    await other.query('select from payment_orders where id = $1 for update', [uuid]);
    const scope = market.worker.database.as({ kind: 'worker', requestId: 'settles', organizationId });
    const settled = scope.transaction((tx) => settleRefund(tx, { refundId }));
    const waits = `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%efund%'`;
    while ((await market.sql(waits)).length === 0);
    await other.query('select from payment_refunds where id = $1 for update nowait', [refundId]);
    await other.query('commit');
    await other.end();
    await settled;
    expect(['SENT', 'COMPLETED']).toContain((await stateIn(shop, orderId, id)).status);
  });

  it('that the chain takes back waits again, and is done when it returns', async () => {
    const { shop, uuid, orderId } = await sell();
    const refund = await addressed(shop, orderId, '3', someone());
    const { raw } = await sendBack(shop, refund);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED' });
    await reorganize(market, 2);
    await market.watch();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'PENDING', transaction: null });
    expect((await refundsOf(market, shop, uuid)).refund).toBe('PENDING');
    await sendAgain(market, raw);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({
      status: 'COMPLETED',
      transaction: { status: 'INCLUDED' },
    });
    expect(await toldAbout(market, 'payment-refund', refund.id)).toEqual([
      'requested',
      'addressed',
      'completed',
      'reversed',
      'completed',
    ]);
  });

  it('that only moves to another block stays done', async () => {
    const { shop, orderId } = await sell();
    const refund = await addressed(shop, orderId, '3', someone());
    const { raw } = await sendBack(shop, refund);
    await settle();
    await reorganize(market, 2, [raw, 1]);
    await market.watch();
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({
      status: 'COMPLETED',
      transaction: { status: 'INCLUDED' },
    });
    expect(await toldAbout(market, 'payment-refund', refund.id)).toEqual(['requested', 'addressed', 'completed']);
  });

  it('that its payer cannot sign for alone is for an owner to address', async () => {
    const { shop, payTo, order, orderId, payer } = await sell();
    const { hash } = await (await newPayer(market)).transfer(payTo, 500_000n);
    await market.watch();
    const entry = await entryOf(market, shop, hash);
    await market.sql(`update payment_orders set status = 'PAID' where id = $1`, (await stateOf(market, order)).id);
    await decide(market, shop, 'assignUnmatchedPayment', { id: entry?.id, orderId });
    await settle();
    const { id } = await request(shop, orderId, '1');
    const destination = someone();
    const shown = await messageOf(order, destination);
    const signature = await payer.account.signMessage({ message: shown?.message ?? '' });
    expect(await confirm({ token: order.token, refundId: id, destination, signer: payer.address, signature })).toBe(
      'REFUND_SIGNER_REFUSED',
    );
  });
});
