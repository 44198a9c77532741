import { randomUUID } from 'node:crypto';
import type { Hex, PrivateKeyAccount } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import {
  type Market,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
  timeOfHead,
  toldOf,
} from './market.ts';
import { beginOn, idsOf, joinAsReader, type LinkTerms, lastToldOf } from './orderTerms.ts';

let market: Market;
/** Whoever pays for the payer that the order names: an exchange, say. */
let exchange: Payer;
beforeAll(async () => {
  market = await openMarket();
  exchange = await newPayer(market);
  await market.watch();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const begin = (terms: LinkTerms = {}) => beginOn(market, terms);
const payee = () => market.merchant.account.address;

async function messageOf(token: string, hash: string): Promise<string> {
  const { data } = await market.house.ask<{ checkoutOrder: { claimMessage: string } }>(
    'query ($token: String!, $hash: Hex!) { checkoutOrder(token: $token) { claimMessage(transactionHash: $hash) } }',
    { token, hash },
  );
  return data?.checkoutOrder.claimMessage ?? '';
}

async function claim(input: Record<string, unknown>, by?: Person) {
  const { data, errors } = await market.house.ask<{ claimPayment: Record<string, unknown> }>(
    `mutation ($input: ClaimPaymentInput!) { claimPayment(input: $input) {
      paymentOrder { status } checkoutOrder { status } replayed
    } }`,
    { input },
    by && { token: by.accessToken },
  );
  return { data: data?.claimPayment, code: errors[0]?.extensions?.code, extensions: errors[0]?.extensions };
}

/** A payer's claim, signed by somebody. */
async function claimSigned({ token }: Order, transactionHash: Hex, signer: PrivateKeyAccount, key?: string) {
  const signature = await signer.signMessage({ message: await messageOf(token, transactionHash) });
  return claim({ token, transactionHash, signature, ...(key && { idempotencyKey: key }) });
}

const settle = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

describe('a claim with the sender’s signature', () => {
  it('credits the transfer to the order that it names', async () => {
    const { order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect(await claimSigned(order, hash, exchange.account)).toMatchObject({
      data: { checkoutOrder: { status: 'CREATED' }, paymentOrder: null, replayed: false },
      code: undefined,
    });
    expect(await lastToldOf(market, order)).toMatchObject({
      type: 'payment-order.claimed',
      actor: 'payer',
      data: { transactionHash: hash, sender: exchange.address, creditedUnits: '0' },
    });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    expect(await toldOf(market, order)).toEqual(['created', 'claimed', 'paid']);
  });

  it('is refused when it is not signed at all', async () => {
    const { order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    expect((await claim({ token: order.token, transactionHash: hash })).code).toBe('CLAIM_NOT_SIGNED');
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('may be made again for the same order, and by nobody for another', async () => {
    const { order } = await begin();
    const { order: other } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    const key = randomUUID();
    expect((await claimSigned(order, hash, exchange.account, key)).data).toMatchObject({ replayed: false });
    expect((await claimSigned(order, hash, exchange.account, key)).data).toMatchObject({ replayed: true });
    expect((await claimSigned(order, hash, exchange.account)).code).toBeUndefined();
    expect((await claimSigned(other, hash, exchange.account)).code).toBe('TRANSFER_TAKEN');
    await settle();
    expect((await claimSigned(other, hash, exchange.account)).code).toBe('TRANSFER_TAKEN');
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await stateOf(market, other)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('of many at one instant for several orders is one order’s alone', async () => {
    const orders: Order[] = [];
    for (let made = 0; made < 6; made += 1) orders.push((await begin()).order);
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    const answers = await Promise.all(orders.map((order) => claimSigned(order, hash, exchange.account)));
    expect(answers.filter(({ code }) => code === undefined)).toHaveLength(1);
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([undefined, 'TRANSFER_TAKEN']));
    await settle();
    const states = await Promise.all(orders.map((order) => stateOf(market, order)));
    expect(states.map(({ status }) => status).sort()).toEqual([...Array(5).fill('CREATED'), 'PAID']);
  });

  it('adds to what the order has already', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 12_000_000n });
    const { hash } = await exchange.transfer(payee(), 500_000n);
    await market.watch();
    await claimSigned(order, hash, exchange.account);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });
});

describe('a claim', () => {
  it('of a transaction that was not read is told to be tried again', async () => {
    const { order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    expect((await claimSigned(order, hash, exchange.account)).extensions).toMatchObject({
      code: 'TRANSFER_NOT_SEEN',
      retryable: true,
    });
    await market.watch();
    expect((await claimSigned(order, hash, exchange.account)).code).toBeUndefined();
    await settle();
  });

  it('of what is older than the order is refused', async () => {
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    const { order } = await begin();
    expect((await claimSigned(order, hash, exchange.account)).code).toBe('TRANSFER_TOO_OLD');
    expect((await claim(await named(order, hash), market.merchant)).code).toBe('TRANSFER_TOO_OLD');
  });

  it('of what pays an order already is refused', async () => {
    const { payer, order } = await begin();
    const { order: other } = await begin();
    const { hash } = await payer.pay(order);
    await market.watch();
    expect((await claimSigned(other, hash, payer.account)).code).toBe('TRANSFER_TAKEN');
    await settle();
  });

  it('for an order that has all that is due, or is over, is refused', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await settle();
    expect((await claimSigned(order, hash, exchange.account)).code).toBe('ORDER_TAKES_NOTHING');
    expect((await claim({ token: 'nobody', transactionHash: hash })).code).toBe('ORDER_NOT_FOUND');
    expect((await claim({ orderId: 'nothing', transactionHash: hash }, market.merchant)).code).toBe('ORDER_NOT_FOUND');
    expect((await claim({ transactionHash: hash })).code).toBe('BAD_USER_INPUT');
  });

  it('of what came in time is good after the deadline, and what came late is the merchant’s to claim', async () => {
    const { order } = await begin();
    const { hash: inTime } = await exchange.transfer(payee(), 5_000_000n);
    await market.watch();
    await setDeadline(market, order, await timeOfHead(market));
    await market.chain.node.increaseTime({ seconds: 5 });
    const { hash: late } = await exchange.transfer(payee(), 7_500_000n);
    await market.watch();
    expect((await claimSigned(order, inTime, exchange.account)).code).toBeUndefined();
    expect((await claimSigned(order, late, exchange.account)).code).toBe('TRANSFER_LATE');
    expect((await claim(await named(order, late), market.merchant)).code).toBeUndefined();
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: ['LATE'] });
  });

  it('goes with its transfer when the chain takes it back, and returns with it', async () => {
    const { order } = await begin();
    const before = await market.chain.node.snapshot();
    const { hash, raw } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    await claimSigned(order, hash, exchange.account);
    await market.chain.node.revert({ id: before });
    await market.mine(3);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await market.chain.public.sendRawTransaction({ serializedTransaction: raw });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
  });
});

/** A member's claim, who names the order by its id. */
async function named(order: Order, transactionHash: string): Promise<Record<string, unknown>> {
  return { orderId: encodeGlobalId('PaymentOrder', (await idsOf(market, order)).id), transactionHash };
}

describe('a member’s claim', () => {
  it('needs no signature where the member may write payments', async () => {
    const { order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    expect(await claim(await named(order, hash), market.merchant)).toMatchObject({
      data: { paymentOrder: { status: 'CREATED' }, checkoutOrder: null },
    });
    expect(await lastToldOf(market, order)).toMatchObject({ actor: expect.stringMatching(/^user:/) });
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });

  it('is refused to nobody, to strangers and to whoever may only read', async () => {
    const { order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    const input = await named(order, hash);
    expect((await claim(input)).code).toBe('UNAUTHENTICATED');
    expect((await claim(input, await signIn(market.house))).code).toBe('ORDER_NOT_FOUND');
    expect((await claim(input, await joinAsReader(market))).code).toBe('FORBIDDEN');
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
  });
});

describe('a claimed transfer', () => {
  it('is judged like every other when its order was paid in the same moment', async () => {
    const { payer, order } = await begin();
    const { hash } = await exchange.transfer(payee(), 12_500_000n);
    await market.watch();
    await claimSigned(order, hash, exchange.account);
    // what the worker would have found a moment earlier
    await market.sql(
      `update chain_transfers set claimed_organization_id = null, claimed_for_id = null, judged_at = now() where transaction_hash = $1`,
      hash,
    );
    await payer.pay(order);
    await market.watch();
    const { id, organizationId } = await idsOf(market, order);
    await market.sql(
      `update chain_transfers set claimed_organization_id = $2, claimed_for_id = $3, judged_at = null where transaction_hash = $1`,
      hash,
      organizationId,
      id,
    );
    await followChain(market.worker, market.registered(), market.reader);
    await settle();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await market.sql('select claimed_for_id from chain_transfers where transaction_hash = $1', hash)).toEqual([
      { claimed_for_id: null },
    ]);
  });
});
