import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { type Market, type Order, openMarket, setDeadline, stateOf, timeOfHead, toldOf } from './market.ts';
import { beginOn, idsOf, joinAsReader, type LinkTerms, lastToldOf } from './orderTerms.ts';

let market: Market;
let stranger: Person;
beforeAll(async () => {
  market = await openMarket();
  stranger = await signIn(market.house);
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const begin = (terms: LinkTerms = {}) => beginOn(market, terms);

type Answer = { readonly data: Record<string, unknown> | null; readonly code: unknown };

async function ask(query: string, variables: Record<string, unknown>, by?: Person): Promise<Answer> {
  const { data, errors } = await market.house.ask(query, variables, by && { token: by.accessToken });
  return { data: (data ?? null) as never, code: errors[0]?.extensions?.code };
}

async function deed(
  name: 'cancelPaymentOrder' | 'acceptUnderpaid',
  order: Order,
  by?: Person,
  idempotencyKey?: string,
) {
  const { id } = await idsOf(market, order);
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  return ask(
    `mutation ($input: ${type}!) { ${name}(input: $input) { paymentOrder { status exceptions underPolicy } replayed } }`,
    { input: { id: encodeGlobalId('PaymentOrder', id), ...(idempotencyKey && { idempotencyKey }) } },
    by,
  );
}

const cancel = (order: Order, by?: Person, key?: string) => deed('cancelPaymentOrder', order, by, key);
const accept = (order: Order, by?: Person, key?: string) => deed('acceptUnderpaid', order, by, key);
const cancelByToken = (token: string) =>
  ask('mutation ($token: String!) { cancelCheckoutOrder(input: { token: $token }) { checkoutOrder { status } } }', {
    token,
  });

/** An order with a part of what is due, whose time is over. */
async function underpaid(terms: LinkTerms = {}) {
  const begun = await begin(terms);
  await begun.payer.pay(begun.order, { units: 5_000_000n });
  await market.watch();
  await setDeadline(market, begun.order, new Date((await timeOfHead(market)).getTime() - 1_000));
  await market.watch();
  return begun;
}

describe('calling off an order', () => {
  it('that nothing has arrived for is done by its payer, by its token', async () => {
    const { order } = await begin();
    expect(await cancelByToken(order.token)).toMatchObject({
      data: { cancelCheckoutOrder: { checkoutOrder: { status: 'CANCELED' } } },
    });
    expect(await lastToldOf(market, order)).toMatchObject({
      type: 'payment-order.canceled',
      actor: 'payer',
      data: { from: 'CREATED', to: 'CANCELED', creditedUnits: '0', dueUnits: '12500000', refund: 'NONE' },
    });
    expect(await cancelByToken(order.token)).toMatchObject({ code: undefined });
    expect(await toldOf(market, order)).toEqual(['created', 'canceled']);
  });

  it('is done by a member who may write payments, and by no other', async () => {
    const { order } = await begin();
    expect((await cancel(order)).code).toBe('UNAUTHENTICATED');
    expect((await cancel(order, stranger)).code).toBe('ORDER_NOT_FOUND');
    expect((await cancel(order, await joinAsReader(market))).code).toBe('FORBIDDEN');
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
    expect((await cancel(order, market.merchant)).data).toMatchObject({
      cancelPaymentOrder: { paymentOrder: { status: 'CANCELED' }, replayed: false },
    });
    expect(await lastToldOf(market, order)).toMatchObject({
      type: 'payment-order.canceled',
      actor: expect.stringMatching(/^user:/),
    });
  });

  it('is done once for a key', async () => {
    const { order } = await begin();
    const key = randomUUID();
    await cancel(order, market.merchant, key);
    expect((await cancel(order, market.merchant, key)).data).toMatchObject({ cancelPaymentOrder: { replayed: true } });
    const { order: other } = await begin();
    expect((await cancel(other, market.merchant, key)).code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await stateOf(market, other)).toMatchObject({ status: 'CREATED' });
  });

  it('is refused once something has arrived, and when it is over', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 1n });
    await market.watch();
    expect((await cancelByToken(order.token)).code).toBe('ORDER_NOT_CANCELABLE');
    expect((await cancel(order, market.merchant)).code).toBe('ORDER_NOT_CANCELABLE');
    const { order: late } = await begin();
    await setDeadline(market, late, new Date(Date.UTC(2020, 0, 1)));
    await market.watch();
    expect((await cancelByToken(late.token)).code).toBe('ORDER_NOT_CANCELABLE');
    expect(await stateOf(market, late)).toMatchObject({ status: 'EXPIRED' });
  });

  it('answers a token of nobody as it answers a link’s slug', async () => {
    const { link } = await begin();
    expect((await cancelByToken('nobody-has-this-token')).code).toBe('ORDER_NOT_FOUND');
    expect((await cancelByToken(link.slug)).code).toBe('ORDER_NOT_FOUND');
  });

  it('lets what comes all the same be nobody’s, and the order stays as it is', async () => {
    const { payer, order } = await begin();
    await cancelByToken(order.token);
    const { hash } = await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CANCELED', credited: 0n, exceptions: [] });
    expect(await market.sql('select claimed_for_id from chain_transfers where transaction_hash = $1', hash)).toEqual([
      { claimed_for_id: null },
    ]);
  });
});

describe('accepting a part', () => {
  it('pays the order that waited for it', async () => {
    const { order } = await underpaid();
    expect((await accept(order, market.merchant)).data).toMatchObject({
      acceptUnderpaid: { paymentOrder: { status: 'CONFIRMING', exceptions: ['UNDERPAID'], underPolicy: 'ACCEPT' } },
    });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: 5_000_000n,
      exceptions: ['UNDERPAID'],
    });
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'expired', 'underpayment-accepted', 'paid']);
    expect((await accept(order, market.merchant)).code).toBeUndefined();
    expect(await toldOf(market, order)).toHaveLength(5);
  });

  it('is for a member who may write payments, and for no other', async () => {
    const { order } = await underpaid();
    expect((await accept(order)).code).toBe('UNAUTHENTICATED');
    expect((await accept(order, stranger)).code).toBe('ORDER_NOT_FOUND');
    expect((await accept(order, await joinAsReader(market))).code).toBe('FORBIDDEN');
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED' });
  });

  it('is refused where the part is being refunded', async () => {
    const { order } = await underpaid({ under_policy: 'REFUND' });
    expect((await accept(order, market.merchant)).code).toBe('ORDER_NOT_UNDERPAID');
  });

  it('is refused where there is no such part', async () => {
    const { payer, order } = await begin();
    expect((await accept(order, market.merchant)).code).toBe('ORDER_NOT_UNDERPAID');
    await payer.pay(order, { units: 1n });
    await market.watch();
    expect((await accept(order, market.merchant)).code).toBe('ORDER_NOT_UNDERPAID');
    const { order: nothing } = await begin();
    await setDeadline(market, nothing, new Date(Date.UTC(2020, 0, 1)));
    await market.watch();
    expect((await accept(nothing, market.merchant)).code).toBe('ORDER_NOT_UNDERPAID');
  });
});
