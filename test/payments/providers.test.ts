import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId, newId } from '../../src/kernel/ids.ts';
import { type Person, signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { colleague, reorganize, toldAbout } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, openMarket, type Payer, stateOf } from './market.ts';
import { beginOn } from './orderTerms.ts';

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
  readonly orderId: string;
}

/** A shop of its own with an order of 12.5 TUSD. */
async function begin(): Promise<Begun> {
  const shop = await signIn(market.house);
  const payer = await newPayer(market);
  const { slug } = await makeLink(market, { by: shop });
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  return { shop, payer, order, orderId: encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id) };
}

interface Told {
  readonly id: string;
  readonly provider: string;
  readonly reference: string;
  readonly kind: string;
  readonly status: string;
  readonly units: string;
  readonly note: string | null;
  readonly transaction: { readonly hash: string } | null;
}

const TOLD = 'id provider reference kind status units note transaction { hash }';

/** What providers said of an order, the newest first. */
async function toldOf(by: Person, orderId: string): Promise<readonly Told[]> {
  const { data } = await market.house.ask<{ node: { providerTransactions: { edges: { node: Told }[] } } }>(
    `query ($id: ID!) { node(id: $id) { ... on PaymentOrder { providerTransactions { edges { node { ${TOLD} } } } } } }`,
    { id: orderId },
    { token: by.accessToken },
  );
  return data?.node.providerTransactions.edges.map(({ node }) => node) ?? [];
}

async function record(
  by: Person | null,
  input: Record<string, unknown>,
): Promise<{ readonly code: string; readonly told: Told | undefined; readonly replayed: boolean | undefined }> {
  const { data, errors } = await market.house.ask<{
    recordManualPayment: { providerTransaction: Told; replayed: boolean };
  }>(
    `mutation ($input: RecordManualPaymentInput!) {
      recordManualPayment(input: $input) { providerTransaction { ${TOLD} } replayed }
    }`,
    { input: { amount: '12.5', reference: newId(), ...input } },
    by ? { token: by.accessToken } : {},
  );
  const answer = data?.recordManualPayment;
  return { code: errors[0]?.extensions.code ?? 'OK', told: answer?.providerTransaction, replayed: answer?.replayed };
}

describe('the chain as a provider', () => {
  it('says what was credited, and that the chain took it back', async () => {
    const { shop, payer, order, orderId } = await begin();
    const { hash } = await payer.pay(order);
    await market.watch();
    expect(await toldOf(shop, orderId)).toMatchObject([
      {
        provider: 'onchain',
        reference: `${hash}:0`,
        kind: 'PAYMENT',
        status: 'CONFIRMED',
        units: '12500000',
        transaction: { hash },
      },
    ]);
    await reorganize(market, 1);
    await market.watch();
    expect(await toldOf(shop, orderId)).toMatchObject([{ status: 'REVERSED' }]);
  });
});

describe('a payment that a member records', () => {
  it('is a claim that the worker confirms: the order is paid, and final, without a block', async () => {
    const { shop, order, orderId } = await begin();
    const input = { orderId, reference: 'receipt 17', note: 'in cash', idempotencyKey: 'cash-at-the-counter' };
    const recorded = await record(shop, input);
    expect(recorded).toMatchObject({
      code: 'OK',
      told: { provider: 'manual', reference: 'receipt 17', status: 'CLAIMED', note: 'in cash', transaction: null },
    });
    expect((await record(shop, input)).replayed).toBe(true);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n, exceptions: [] });
    expect(await toldOf(shop, orderId)).toMatchObject([{ status: 'CONFIRMED', units: '12500000' }]);
    expect(await toldAbout(market, 'provider-transaction', recorded.told?.id ?? '')).toEqual(['claimed', 'confirmed']);
    expect((await record(shop, { orderId })).code).toBe('ORDER_TAKES_NOTHING');
  });

  it('adds up with what comes on the chain, and waits for that as ever', async () => {
    const { shop, payer, order, orderId } = await begin();
    await record(shop, { orderId, amount: '10' });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 10_000_000n });
    await payer.pay(order, { units: 2_500_000n });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });

  it('waits for no block on a chain that has fewer than the order asks for', async () => {
    const { order } = await beginOn(market, { finality: 'CONFIRMATIONS', finality_confirmations: 10_000 });
    const { id } = await stateOf(market, order);
    expect((await record(market.merchant, { orderId: encodeGlobalId('PaymentOrder', id) })).code).toBe('OK');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', credited: 12_500_000n, exceptions: [] });
  });

  it('does not count when the chain has paid the order meanwhile', async () => {
    const { shop, payer, order, orderId } = await begin();
    const { told } = await record(shop, { orderId });
    await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ credited: 12_500_000n, exceptions: [] });
    const found = (await toldOf(shop, orderId)).find(({ id }) => id === told?.id);
    expect(found).toMatchObject({ status: 'REVERSED' });
  });

  it('is recorded once for each reference, by whoever may write payments, of exact amounts', async () => {
    const { shop, orderId } = await begin();
    const [admin, member] = [await colleague(market, shop, 'ADMIN'), await colleague(market, shop, 'MEMBER')];
    const foreign = await signIn(market.house);
    const ask = async (by: Person | null, given: Record<string, unknown> = {}): Promise<string> =>
      (await record(by, { orderId, amount: '1', reference: 'cheque 4', ...given })).code;
    expect(await ask(member)).toBe('FORBIDDEN');
    expect(await ask(foreign)).toBe('ORDER_NOT_FOUND');
    expect(await ask(null)).toBe('UNAUTHENTICATED');
    expect(await ask(shop, { orderId: 'x' })).toBe('ORDER_NOT_FOUND');
    expect(await ask(shop, { amount: '0' })).toBe('AMOUNT_INVALID');
    expect(await ask(shop, { amount: '0.0000001' })).toBe('AMOUNT_INVALID');
    expect(await ask(shop, { reference: ' ' })).toBe('BAD_USER_INPUT');
    expect(await ask(admin)).toBe('OK');
    expect(await ask(shop)).toBe('REFERENCE_TAKEN');
    expect(await ask(shop, { reference: 'cheque 5' })).toBe('OK');
    await market.watch();
    expect((await toldOf(member, orderId)).map(({ status }) => status)).toEqual(['CONFIRMED', 'CONFIRMED']);
    expect(await toldOf(foreign, orderId).catch(() => [])).toEqual([]);
  });
});
