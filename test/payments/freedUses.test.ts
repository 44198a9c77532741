import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { refundsOf } from './inbox.ts';
import { madeLink, order as orderOf } from './linkBench.ts';
import { type Market, makeOrder, newPayer, openMarket, setDeadline, stateOf } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
  await market.watch();
});
afterAll(() => market.close());
const { addressed, sendBack } = refunding(() => market);

describe('a use that dust was paid for', () => {
  it('is kept when its time is over, and free again once the dust has gone back', async () => {
    const { slug } = await madeLink(market, { maxUses: 1 });
    await market.watch();
    const stranger = await newPayer(market);
    const order = await makeOrder(market, { slug, payer: stranger.address });
    await stranger.pay(order, { units: 1n });
    await market.mine(3);
    await market.watch();
    await setDeadline(market, order, new Date(Date.now() - 2_000));
    await market.mine();
    await market.watch();
    const { id, status } = await stateOf(market, order);
    expect(status).toBe('EXPIRED');
    expect((await orderOf(market, slug, {})).code).toBe('LINK_EXHAUSTED');

    await market.chain.node.setBalance({ address: market.merchant.account.address, value: 10n ** 21n });
    const refund = await addressed(market.merchant, encodeGlobalId('PaymentOrder', id), '0.000001', stranger.address);
    await sendBack(market.merchant, refund);
    await market.mine(3);
    await market.watch();
    await market.watch();
    expect((await refundsOf(market, market.merchant, id)).refund).toBe('FULL');
    expect((await orderOf(market, slug, {})).code).toBe('OK');
    expect((await orderOf(market, slug, {})).code).toBe('LINK_EXHAUSTED');
  });
});
