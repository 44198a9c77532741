import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf, refundsOf, secondShop } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const someone = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

const { sell, sendBack, settle } = refunding(() => market);

describe('what the terms of an order give back', () => {
  it('is asked for by itself: a surplus, and a part that was not enough', async () => {
    const shop = await signIn(market.house);
    const [payer, poor] = [await newPayer(market), await newPayer(market)];
    const { slug } = await makeLink(market, { by: shop });
    await market.watch();
    const [order, short] = [
      await makeOrder(market, { slug, payer: payer.address }),
      await makeOrder(market, { slug, payer: poor.address }),
    ];
    const [{ id: uuid }, { id: shortId }] = [await stateOf(market, order), await stateOf(market, short)];
    await market.sql(
      `update payment_orders set over_policy = 'REFUND', under_policy = 'REFUND' where id in ($1, $2)`,
      uuid,
      shortId,
    );
    await payer.pay(order, { units: 15_000_000n });
    await poor.pay(short, { units: 4_000_000n });
    await settle();
    expect(await refundsOf(market, shop, uuid)).toMatchObject({
      refund: 'PENDING',
      refunds: [{ cause: 'SURPLUS', units: '2500000', status: 'REQUESTED', destination: null }],
    });
    expect((await refundsOf(market, shop, shortId)).refunds).toEqual([]);
    await market.sql(
      `update payment_orders set expires_at = created_at + interval '1 millisecond' where id = $1`,
      shortId,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await settle();
    await market.watch();
    expect((await refundsOf(market, shop, shortId)).refunds).toMatchObject([{ cause: 'PART', units: '4000000' }]);
    // and what comes late, within the late window
    const late = await poor.transfer(shop.account.address, 7_000_000n);
    await market.sql(
      `update payment_orders set late_policy = 'REFUND', late_until = now() + interval '1 hour' where id = $1`,
      shortId,
    );
    await settle();
    await market.watch();
    expect(await entryOf(market, shop, late.hash)).toMatchObject({ reason: 'LATE', status: 'REFUNDED' });
    const kept = await market.sql(
      'select units::text, cause::text from payment_refunds where unmatched_payment_id is not null',
    );
    expect(kept).toEqual([{ units: '7000000', cause: 'LATE' }]);
    // what was called off is not asked for again
    const [{ id } = { id: '' }] = (await refundsOf(market, shop, uuid)).refunds;
    await decide(market, shop, 'cancelRefund', { id });
    await settle();
    expect((await refundsOf(market, shop, uuid)).refunds).toHaveLength(1);
  });

  it('is what has come on the chain, and nothing that somebody’s word stands for', async () => {
    const shop = await signIn(market.house);
    const payer = await newPayer(market);
    const { slug } = await makeLink(market, { by: shop });
    await market.watch();
    const [told, both] = [
      await makeOrder(market, { slug, payer: payer.address }),
      await makeOrder(market, { slug, payer: payer.address }),
    ];
    const [{ id: toldId }, { id: bothId }] = [await stateOf(market, told), await stateOf(market, both)];
    await market.sql(`update payment_orders set over_policy = 'REFUND' where id in ($1, $2)`, toldId, bothId);
    await payer.pay(both, { units: 5_000_000n });
    await market.watch();
    for (const [id, amount] of [
      [toldId, '100'],
      [bothId, '100'],
    ] as const) {
      const { errors } = await market.house.ask(
        'mutation ($input: RecordManualPaymentInput!) { recordManualPayment(input: $input) { replayed } }',
        { input: { orderId: encodeGlobalId('PaymentOrder', id), amount, reference: `bank ${id}` } },
        { token: shop.accessToken },
      );
      expect(errors).toEqual([]);
    }
    await settle();
    await settle();
    expect(await stateOf(market, told)).toMatchObject({ credited: 100_000_000n, exceptions: ['OVERPAID'] });
    expect((await refundsOf(market, shop, toldId)).refunds).toEqual([]);
    expect((await refundsOf(market, shop, bothId)).refunds).toMatchObject([
      { cause: 'SURPLUS', units: '5000000', status: 'REQUESTED' },
    ]);
  });
});

describe('money of the inbox', () => {
  it('goes back in full, and nobody else has it meanwhile', async () => {
    const { shop, payTo } = await sell();
    const other = await secondShop(market, shop);
    await makeLink(market, { by: other });
    const { hash } = await (await newPayer(market)).transfer(payTo, 700_000n);
    await settle();
    const [ours, theirs] = [await entryOf(market, shop, hash), await entryOf(market, other, hash)];
    const asked = await decide(market, shop, 'refundUnmatchedPayment', { id: ours?.id, reason: 'sent by mistake' });
    expect(asked).toMatchObject({ code: 'OK', answer: { refund: { units: '700000', status: 'REQUESTED' } } });
    const id = asked.answer?.refund.id;
    // before anything was told of it, nobody else can have it either
    expect((await decide(market, other, 'refundUnmatchedPayment', { id: theirs?.id })).code).toBe('TRANSFER_TAKEN');
    await market.watch();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'REFUNDED' });
    expect(await entryOf(market, other, hash)).toMatchObject({ status: 'TAKEN' });
    expect((await decide(market, other, 'refundUnmatchedPayment', { id: theirs?.id })).code).toBe('TRANSFER_TAKEN');
    await decide(market, shop, 'cancelRefund', { id });
    await market.watch();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'OPEN' });
    expect(await entryOf(market, other, hash)).toMatchObject({ status: 'OPEN' });

    const again = await decide(market, other, 'refundUnmatchedPayment', { id: theirs?.id });
    const words = { id: again.answer?.refund.id, destination: someone(), reason: 'asked by mail' };
    const { answer } = await decide(market, other, 'setRefundDestination', words);
    await sendBack(shop, answer?.refund ?? { paymentRequest: null });
    await settle();
    // what befalls another organization's entry is told there in nobody's name
    const named = await market.sql(
      `select 1 from events where type = 'unmatched-payment.taken' and actor <> 'worker'
       union all
       select 1 from audit_entries
       where table_name = 'unmatched_payments' and after ->> 'status' = 'TAKEN' and user_id is not null`,
    );
    expect(named).toEqual([]);
    const [row] = await market.sql<{ status: string }>(
      'select status from payment_refunds where unmatched_payment_id is not null order by created_at desc limit 1',
    );
    expect(row?.status).toBe('COMPLETED');
    expect(await entryOf(market, other, hash)).toMatchObject({ status: 'REFUNDED' });
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'TAKEN' });
  });
});
