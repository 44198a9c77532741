import { encodeFunctionData, parseAbi } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { deployLookAlike, payInOneTransaction } from './contracts.ts';
import {
  ETH,
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  stateOf,
  TUSD,
  toldOf,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

/** A payer and the order that it asked for, of 12.5 TUSD unless something else is said. */
async function begin(
  ...accepts: { readonly asset: string; readonly amount: string }[]
): Promise<{ payer: Payer; order: Order; slug: string }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market, accepts.length > 0 ? { accepts } : {});
  await market.watch();
  return { payer, slug, order: await makeOrder(market, { slug, payer: payer.address }) };
}

const confirm = async (): Promise<void> => {
  await market.mine();
  await market.watch();
};

describe('a payment in full', () => {
  it('of a token, with the reference, is confirmed, then paid, then final, and nothing else is told', async () => {
    const { payer, order } = await begin();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await payer.pay(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n });
    await market.watch();
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: [] });
    await market.mine(64);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'FINAL', exceptions: [], credited: 12_500_000n });
    expect(await toldOf(market, order)).toEqual(['created', 'confirming', 'paid', 'finalized']);
  });

  it('that was missed until it was final is still told as paid before', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await market.mine(70);
    await market.watch();
    expect(await toldOf(market, order)).toEqual(['created', 'paid', 'finalized']);
  });

  it('of the native coin, with the reference, is paid', async () => {
    const { payer, order } = await begin({ asset: ETH, amount: '0.25' });
    await payer.pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 250_000_000_000_000_000n });
  });

  it('of more units than a double can count is credited to the unit', async () => {
    const { payer, order } = await begin({ asset: TUSD, amount: '9007199254740993.000001' });
    await payer.pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 9_007_199_254_740_993_000_001n });
  });

  it('without the reference pays the only open order that it fits', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { reference: false });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });

  it('without the reference pays none of two that it fits; with it, the one that is named, and then the other one', async () => {
    const { payer, order, slug } = await begin();
    const other = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(order, { reference: false });
    await confirm();
    for (const one of [order, other]) expect(await stateOf(market, one)).toMatchObject({ status: 'CREATED' });
    await payer.pay(other);
    await confirm();
    // what was ambiguous fits one alone now
    for (const one of [order, other]) {
      expect(await stateOf(market, one)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    }
  });

  it('without the reference pays the second of two when the first has all that it asks for', async () => {
    const { payer, order, slug } = await begin();
    const other = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(order);
    await market.watch();
    await payer.pay(other, { reference: false });
    await confirm();
    for (const one of [order, other]) expect(await stateOf(market, one)).toMatchObject({ status: 'PAID' });
    expect((await stateOf(market, order)).exceptions).toEqual([]);
  });

  it('is shown to the merchant and to the payer with its transaction', async () => {
    const { payer, order } = await begin();
    const { hash } = await payer.pay(order);
    await confirm();
    const seen = await market.house.ask(
      'query ($token: String!) { checkoutOrder(token: $token) { status transactions { hash status } } }',
      { token: order.token },
    );
    expect(seen.data).toEqual({ checkoutOrder: { status: 'PAID', transactions: [{ hash, status: 'INCLUDED' }] } });
    const books = await market.house.ask(
      `{ organization {
        paymentOrders(first: 1) { edges { node {
          status exceptions dueUnits creditedUnits payer transactions { hash ordinal units sender }
        } } }
        blockchainTransactions(first: 1) { edges { node { hash ordinal units recipient status } } }
      } }`,
      {},
      { token: market.merchant.accessToken },
    );
    const units = '12500000';
    const transfer = { hash, ordinal: 0, units };
    const sender = payer.account.address;
    const node = { status: 'PAID', exceptions: [], dueUnits: units, creditedUnits: units, payer: sender };
    const recipient = market.merchant.account.address;
    expect(books.data).toEqual({
      organization: {
        paymentOrders: { edges: [{ node: { ...node, transactions: [{ ...transfer, sender }] } }] },
        blockchainTransactions: { edges: [{ node: { ...transfer, recipient, status: 'INCLUDED' } }] },
      },
    });
  });
});

describe('a transfer that pays nothing', () => {
  it('comes with the reference, but from somebody else', async () => {
    const { order } = await begin();
    await (await newPayer(market)).pay(order);
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: [] });
  });

  it('was reverted', async () => {
    const { payer, order } = await begin();
    const { hash } = await payer.pay(order, { units: 10n ** 40n });
    expect(await market.chain.public.getTransactionReceipt({ hash })).toMatchObject({ status: 'reverted' });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('is of another token that looks the same', async () => {
    const { payer, order } = await begin();
    const token = await deployLookAlike(market, payer);
    await payer.transfer(market.merchant.account.address, 12_500_000n, { suffix: order.reference, token });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('is of another asset than the order asks for', async () => {
    const { payer, order } = await begin();
    const to = market.merchant.account.address;
    await payer.send({ to, value: 12_500_000n, data: order.reference });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('goes to somebody else', async () => {
    const { payer, order } = await begin();
    await payer.transfer((await newPayer(market)).address, 12_500_000n, { suffix: order.reference });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('is of nothing at all, made by a stranger in the payer’s name', async () => {
    const { payer, order } = await begin();
    const abi = parseAbi(['function transferFrom(address, address, uint256)']);
    const args = [payer.address, market.merchant.account.address, 0n] as const;
    const data = encodeFunctionData({ abi, functionName: 'transferFrom', args });
    const { hash } = await (await newPayer(market)).send({ to: TEST_TOKEN_ADDRESS, data });
    expect(await market.chain.public.getTransactionReceipt({ hash })).toMatchObject({ status: 'success' });
    await confirm();
    expect(await market.sql('select from chain_transfers where transaction_hash = $1', hash)).toEqual([]);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('was mined before the order was made', async () => {
    const payer = await newPayer(market);
    const { slug, payTo } = await makeLink(market);
    await payer.transfer(payTo, 12_500_000n);
    await market.watch();
    const order = await makeOrder(market, { slug, payer: payer.address });
    await confirm();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });
});

describe('one wallet that is payee of two organizations', () => {
  it('is paid once, in the one whose order is named', async () => {
    const other = await signIn(market.house);
    await market.sql(
      `insert into memberships (organization_id, user_id, role)
       select mine.organization_id, theirs.user_id, 'OWNER'
       from identities i
       join memberships theirs on theirs.user_id = i.user_id
       cross join memberships mine
       join identities j on j.user_id = mine.user_id
       where i.address = $1 and j.address = $2`,
      market.merchant.account.address.toLowerCase(),
      other.account.address.toLowerCase(),
    );
    const payTo = market.merchant.account.address;
    const payer = await newPayer(market);
    const links = [
      await makeLink(market),
      await makeLink(market, { by: other, accepts: [{ asset: TUSD, amount: '12.5', payTo }] }),
    ] as const;
    await market.watch();
    const [mine, theirs] = await Promise.all(
      links.map(({ slug }) => makeOrder(market, { slug, payer: payer.address })) as [Promise<Order>, Promise<Order>],
    );
    await payer.pay(mine, { reference: false });
    await market.watch();
    for (const order of [mine, theirs]) expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
    const { hash } = await payer.pay(theirs);
    await confirm();
    expect(await stateOf(market, theirs)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    // what was ambiguous fits one alone now
    expect(await stateOf(market, mine)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await market.sql('select organization_id from blockchain_transactions where hash = $1', hash)).toHaveLength(
      1,
    );
  });
});

describe('three transfers in one transaction', () => {
  it('of a contract that somebody else called are each credited once, to the two orders that they name', async () => {
    const sent = await payInOneTransaction(market, async (payer) => {
      const small = await makeLink(market, { accepts: [{ asset: TUSD, amount: '5' }] });
      const large = await makeLink(market, { accepts: [{ asset: TUSD, amount: '7' }] });
      await market.watch();
      const first = await makeOrder(market, { slug: small.slug, payer });
      const second = await makeOrder(market, { slug: large.slug, payer });
      return [
        { order: first, units: 2_000_000n },
        { order: first, units: 3_000_000n },
        { order: second, units: 7_000_000n },
      ] as const;
    });
    await confirm();
    const [first, , second] = sent.parts;
    expect(await stateOf(market, first.order)).toMatchObject({ status: 'PAID', credited: 5_000_000n, exceptions: [] });
    expect(await stateOf(market, second.order)).toMatchObject({ status: 'PAID', credited: 7_000_000n, exceptions: [] });
    const credited = await market.sql(
      `select ordinal, units::text, sender from blockchain_transactions where hash = $1 order by ordinal`,
      sent.hash,
    );
    expect(credited).toEqual([
      { ordinal: 0, units: '2000000', sender: sent.payer },
      { ordinal: 1, units: '3000000', sender: sent.payer },
      { ordinal: 2, units: '7000000', sender: sent.payer },
    ]);
  });
});
