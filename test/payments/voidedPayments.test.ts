import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { decodeGlobalId, encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, decide, entryOf, refundsOf, toldAbout } from './inbox.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  sendFrom,
  setDeadline,
  stateOf,
  toldOf,
  transferCall,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

interface Begun {
  readonly shop: Person;
  readonly payer: Payer;
  readonly order: Order;
  readonly uuid: string;
  readonly orderId: string;
}

/** A shop of its own with an order of 12.5 TUSD. */
async function begin(): Promise<Begun> {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug } = await makeLink(market, { by: shop });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { id: uuid } = await stateOf(market, order);
  return { shop, payer, order, uuid, orderId: encodeGlobalId('PaymentOrder', uuid) };
}

interface Told {
  readonly id: string;
  readonly status: string;
  readonly voidReason: string | null;
  readonly voidedBy: { readonly id: string } | null;
  readonly voidedAt: string | null;
}

const TOLD = 'id status voidReason voidedBy { id } voidedAt';

async function record(by: Person, orderId: string, amount: string): Promise<string> {
  const { data } = await market.house.ask<{ recordManualPayment: { providerTransaction: Told } }>(
    `mutation ($input: RecordManualPaymentInput!) {
      recordManualPayment(input: $input) { providerTransaction { id } }
    }`,
    { input: { orderId, amount, reference: newId() } },
    { token: by.accessToken },
  );
  return data?.recordManualPayment.providerTransaction.id ?? '';
}

interface Voided {
  readonly code: string;
  readonly status: unknown;
  readonly told: Told | undefined;
  readonly replayed: boolean | undefined;
}

async function takeBack(by: Person | null, id: string, given: object = {}): Promise<Voided> {
  const { data, errors } = await market.house.ask<{
    voidManualPayment: { providerTransaction: Told; replayed: boolean };
  }>(
    `mutation ($input: VoidManualPaymentInput!) {
      voidManualPayment(input: $input) { providerTransaction { ${TOLD} } replayed }
    }`,
    { input: { id, reason: 'of another order', ...given } },
    by ? { token: by.accessToken } : {},
  );
  const { code = 'OK', facts } = (errors[0]?.extensions ?? {}) as { code?: string; facts?: { status?: string } };
  const answer = data?.voidManualPayment;
  return { code, status: facts?.status, told: answer?.providerTransaction, replayed: answer?.replayed };
}

describe('a payment that was recorded by mistake', () => {
  it('never counts when it is taken back before the worker has come to it', async () => {
    const { shop, order, orderId } = await begin();
    const id = await record(shop, orderId, '12.5');
    expect(await takeBack(shop, id)).toMatchObject({
      code: 'OK',
      told: { status: 'REVERSED', voidReason: 'of another order', voidedBy: { id: expect.any(String) } },
    });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect(await toldAbout(market, 'provider-transaction', id)).toEqual(['claimed', 'reversed']);
    expect(await takeBack(shop, id)).toMatchObject({ code: 'MANUAL_PAYMENT_CLOSED', status: 'REVERSED' });
  });

  it('counts no more, and its order is what is left, and may be paid', async () => {
    const { shop, payer, order, orderId } = await begin();
    const [wrong, right] = [await record(shop, orderId, '4'), await record(shop, orderId, '2.5')];
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 6_500_000n });
    const key = { idempotencyKey: 'taken-back-once-and-no-more' };
    expect(await takeBack(shop, wrong, key)).toMatchObject({ code: 'OK', replayed: false });
    expect(await takeBack(shop, wrong, key)).toMatchObject({ code: 'OK', replayed: true, told: { id: wrong } });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 2_500_000n });
    expect(await toldAbout(market, 'provider-transaction', wrong)).toEqual([
      'claimed',
      'confirmed',
      'voided',
      'reversed',
    ]);
    expect(await toldAbout(market, 'payment-order', orderId)).toContain('credit-reversed');
    await payer.pay(order, { units: 10_000_000n });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    // what it was paid with besides can be taken back until it is final, and then no more
    expect((await takeBack(shop, right)).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 10_000_000n });
  });

  it('makes no order final that it is taken back from', async () => {
    const { shop, payer, order, orderId } = await begin();
    const id = await record(shop, orderId, '2.5');
    await payer.pay(order, { units: 10_000_000n });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    await market.mine(70);
    expect((await takeBack(shop, id)).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 10_000_000n });
  });

  it('takes along what was to go back of it', async () => {
    const { shop, uuid, orderId } = await begin();
    const id = await record(shop, orderId, '4');
    await market.watch();
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '3' })).code).toBe('OK');
    expect((await takeBack(shop, id)).code).toBe('OK');
    await market.watch();
    expect(await refundsOf(market, shop, uuid)).toMatchObject({
      refund: 'NONE',
      refunds: [{ status: 'CANCELED', withdrawn: true }],
    });
  });

  it('is taken back by whoever may write payments, and is no transfer of the chain', async () => {
    const { shop, payer, order, orderId, uuid } = await begin();
    const id = await record(shop, orderId, '1');
    const [admin, member] = [await colleague(market, shop, 'ADMIN'), await colleague(market, shop, 'MEMBER')];
    const foreign = await signIn(market.house);
    expect((await takeBack(null, id)).code).toBe('UNAUTHENTICATED');
    expect((await takeBack(member, id)).code).toBe('FORBIDDEN');
    expect((await takeBack(foreign, id)).code).toBe('MANUAL_PAYMENT_NOT_FOUND');
    expect((await takeBack(shop, orderId)).code).toBe('MANUAL_PAYMENT_NOT_FOUND');
    expect((await takeBack(shop, id, { reason: ' ' })).code).toBe('BAD_USER_INPUT');
    await payer.pay(order, { units: 1_000_000n });
    await market.watch();
    const [row] = await market.sql<{ id: string }>(
      `select id from provider_transactions where payment_order_id = $1 and provider = 'onchain'`,
      uuid,
    );
    const onchain = encodeGlobalId('ProviderTransaction', row?.id ?? '');
    expect((await takeBack(shop, onchain)).code).toBe('MANUAL_PAYMENT_NOT_FOUND');
    expect((await takeBack(admin, id)).code).toBe('OK');
    await market.watch();
  });
});

describe('of an order that is final, a payment that was recorded by mistake', () => {
  it('leaves it open where it was all that had come, to be paid by whoever owes it', async () => {
    const { shop, payer, order, orderId } = await begin();
    const id = await record(shop, orderId, '12.5');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n });
    expect(await takeBack(shop, id)).toMatchObject({ code: 'OK', told: { status: 'CONFIRMED' } });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: ['REORGED'] });
    await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await toldOf(market, order)).toEqual(['created', 'paid', 'finalized', 'reversed', 'reinstated']);
    await market.mine(70);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n });
    expect(await takeBack(shop, id)).toMatchObject({ code: 'MANUAL_PAYMENT_CLOSED', status: 'REVERSED' });
  });

  it('leaves it expired where its time is over, and what had come on the chain besides can be given to it', async () => {
    const { shop, payer, order, orderId } = await begin();
    const id = await record(shop, orderId, '12.5');
    await market.watch();
    const { hash } = await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'OPEN', reason: 'DUPLICATE' });
    await setDeadline(market, order, new Date(Date.now() - 60_000));
    expect((await takeBack(shop, id)).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n });
    const entry = await entryOf(market, shop, hash);
    expect(entry).toMatchObject({ status: 'OPEN' });
    const given = await decide(market, shop, 'assignUnmatchedPayment', { id: entry?.id, orderId });
    expect(given.code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });

  it('takes nothing of what came on the chain: enough of that is final still, or is awaited', async () => {
    const [final, young] = [await begin(), await begin()];
    const words = [await record(final.shop, final.orderId, '2.5'), await record(young.shop, young.orderId, '2.5')];
    await market.watch();
    await final.payer.pay(final.order);
    await young.payer.pay(young.order, { units: 10_000_000n });
    await market.mine(70);
    await market.watch();
    expect(await stateOf(market, final.order)).toMatchObject({ status: 'FINAL', credited: 15_000_000n });
    expect(await stateOf(market, young.order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n });
    expect((await takeBack(final.shop, words[0] ?? '')).code).toBe('OK');
    expect((await takeBack(young.shop, words[1] ?? '')).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, final.order)).toMatchObject({
      status: 'FINAL',
      credited: 12_500_000n,
      exceptions: [],
    });
    expect((await toldOf(market, final.order)).at(-1)).toBe('credit-reversed');
    expect(await stateOf(market, young.order)).toMatchObject({ status: 'DETECTED', credited: 10_000_000n });
  });

  it('counts for nobody before the worker has come to it, as it does not where nobody reads the chain', async () => {
    const { shop, payer, order, orderId } = await begin();
    const id = await record(shop, orderId, '10');
    await payer.pay(order, { units: 2_500_000n });
    await market.mine(70);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n });
    const money = async () =>
      market.sql(
        `select has_open_money(p.organization_id) as open, w.voided
         from provider_transactions p, waiting_on_chain(31337) w where p.id = $1`,
        decodeGlobalId(id)?.id,
      );
    expect(await money()).toEqual([{ open: false, voided: 0 }]);
    expect((await takeBack(shop, id)).code).toBe('OK');
    expect(await money()).toEqual([{ open: true, voided: 1 }]);
    expect(await decide(market, shop, 'requestRefund', { orderId, amount: '2.6' })).toMatchObject({
      code: 'REFUND_EXCEEDS',
    });
    expect((await decide(market, shop, 'requestRefund', { orderId, amount: '2.5' })).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 2_500_000n });
    expect(await money()).toEqual([{ open: true, voided: 0 }]);
  });

  it('opens it though a worker of the release before has come to it first', async () => {
    const [all, part, much] = [await begin(), await begin(), await begin()];
    const words = new Map<Begun, string>();
    for (const [begun, amount] of [
      [all, '12.5'],
      [part, '10'],
      [much, '5'],
    ] as const) {
      words.set(begun, await record(begun.shop, begun.orderId, amount));
    }
    await market.watch();
    await part.payer.pay(part.order, { units: 2_500_000n });
    await much.payer.pay(much.order);
    await market.mine(70);
    await market.watch();
    for (const [begun, id] of words) {
      expect(await stateOf(market, begun.order)).toMatchObject({ status: 'FINAL' });
      expect((await takeBack(begun.shop, id)).code).toBe('OK');
    }
    // what that one wrote of them
    for (const [{ uuid }, left] of [
      [all, 0],
      [part, 2_500_000],
      [much, 12_500_000],
    ] as const) {
      await market.sql(
        `update provider_transactions set status = 'REVERSED' where payment_order_id = $1 and provider = 'manual'`,
        uuid,
      );
      await market.sql('update payment_orders set credited_units = $2 where id = $1', uuid, left);
    }
    await market.watch();
    const open = { exceptions: ['REORGED'] };
    expect(await stateOf(market, all.order)).toMatchObject({ status: 'CREATED', ...open });
    expect(await stateOf(market, part.order)).toMatchObject({ status: 'DETECTED', ...open });
    expect(await stateOf(market, much.order)).toMatchObject({ status: 'FINAL', exceptions: [] });
    expect((await toldOf(market, all.order)).at(-1)).toBe('reversed');
    const [hollow] = await market.sql<{ count: number }>(
      `select count(*)::int from payment_orders
       where status = 'FINAL' and credited_units < due_units - tolerance_units`,
    );
    expect(hollow?.count).toBe(0);
  });

  it('says so where more went back than is left', async () => {
    const { shop, payer, order, orderId } = await begin();
    const id = await record(shop, orderId, '10');
    await payer.pay(order, { units: 2_500_000n });
    await market.mine(70);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL' });
    const asked = await decide(market, shop, 'requestRefund', { orderId, amount: '3' });
    const refund = asked.answer?.refund.id ?? '';
    const destination = privateKeyToAccount(generatePrivateKey()).address;
    const input = { id: refund, destination, reason: 'asked by mail' };
    expect((await decide(market, shop, 'setRefundDestination', input)).code).toBe('OK');
    await market.chain.node.setBalance({ address: shop.account.address, value: 10n ** 18n });
    await market.mine();
    await (await newPayer(market)).transfer(shop.account.address, 500_000n);
    const data = transferCall(destination, 3_000_000n);
    await sendFrom(market.chain, shop.account, { to: TEST_TOKEN_ADDRESS, data });
    await market.mine(3);
    await market.watch();
    expect((await takeBack(shop, id)).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'DETECTED',
      credited: 2_500_000n,
      exceptions: ['NEEDS_REVIEW', 'REORGED'],
    });
  });

  it('stays where the chain has another history by now: nothing could bring that order on', async () => {
    const { shop, orderId } = await begin();
    const id = await record(shop, orderId, '12.5');
    await market.watch();
    await market.sql('update chain_incarnations set current = false');
    try {
      expect(await takeBack(shop, id)).toMatchObject({ code: 'MANUAL_PAYMENT_CLOSED', status: 'FINAL' });
    } finally {
      await market.sql('update chain_incarnations set current = true');
    }
  });
});
