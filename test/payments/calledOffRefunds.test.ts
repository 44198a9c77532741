import { concatHex, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import fee from '../chain/contracts/FeeToken.json' with { type: 'json' };
import { deployToken } from '../chain/tokens.ts';
import { signIn } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide, entryOf, refundsOf, reorganize, sendAgain, toldAbout } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, sendFrom, stateOf, transferCall } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const someone = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

const { sell, request, addressed, sendBack, stateIn, settle } = refunding(() => market);

const cancel = (by: Parameters<typeof decide>[1], id: string) => decide(market, by, 'cancelRefund', { id });

describe('calling off a refund', () => {
  it('that has no destination is done at once', async () => {
    const { shop, orderId } = await sell();
    const { id } = await request(shop, orderId, '2');
    expect(await cancel(shop, id)).toMatchObject({ answer: { refund: { status: 'CANCELED', calledOffAt: null } } });
  });

  it('waits until the chain was read past that moment, and reserves until then', async () => {
    const { shop, uuid, orderId } = await sell();
    const { id } = await addressed(shop, orderId, '12.5', someone());
    expect(await cancel(shop, id)).toMatchObject({
      code: 'OK',
      answer: {
        refund: { status: 'PENDING', waitsFor: 'CALL_OFF', paymentRequest: null, calledOffAt: expect.any(String) },
      },
    });
    // once more changes nothing
    const { calledOffAt } = await stateIn(shop, orderId, id);
    expect(await cancel(shop, id)).toMatchObject({ code: 'OK', answer: { refund: { calledOffAt } } });
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('REFUND_EXCEEDS');
    // what was read before tells nothing
    await settleOrders(market.worker, market.registered());
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'PENDING' });
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'CANCELED', waitsFor: null });
    expect(await refundsOf(market, shop, uuid)).toMatchObject({ refund: 'NONE' });
    // and is told once, however often it is asked for
    expect(await toldAbout(market, 'payment-refund', id)).toEqual([
      'requested',
      'addressed',
      'call-off-requested',
      'canceled',
    ]);
    expect((await cancel(shop, id)).code).toBe('REFUND_CLOSED');
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('OK');
  });

  it('is refused over a transfer that is recorded, and while nobody can say what the chain has brought', async () => {
    const { shop, orderId } = await sell();
    const refund = await addressed(shop, orderId, '12.5', someone());
    const code = async (): Promise<string> => (await cancel(shop, refund.id)).code;
    const set = (words: string) => market.sql(`update chain_incarnations set ${words} where current`);
    await set(`halt_reason = 'deep', halted_at = now()`);
    expect(await code()).toBe('REFUND_UNDECIDED');
    await set(`halt_reason = null, halted_at = null, caught_up_at = now() - interval '61 seconds'`);
    expect(await code()).toBe('REFUND_UNDECIDED');
    await sendBack(shop, refund);
    await followChain(market.worker, market.registered(), market.reader);
    expect(await code()).toBe('REFUND_UNDECIDED');
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED', calledOffAt: null });
    expect(await code()).toBe('REFUND_CLOSED');
  });

  it('of one that was mined and not read yet comes too late: it is done, and not paid twice', async () => {
    const { shop, uuid, orderId } = await sell();
    const refund = await addressed(shop, orderId, '12.5', someone());
    const { hash } = await sendBack(shop, refund);
    expect(await cancel(shop, refund.id)).toMatchObject({ answer: { refund: { waitsFor: 'CALL_OFF' } } });
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('REFUND_EXCEEDS');
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({
      status: 'COMPLETED',
      calledOffAt: null,
      transaction: { hash },
    });
    expect((await toldAbout(market, 'payment-refund', refund.id)).slice(-2)).toEqual([
      'call-off-requested',
      'completed',
    ]);
    expect(await refundsOf(market, shop, uuid)).toMatchObject({ refund: 'FULL' });
    expect((await decide(market, shop, 'requestRefund', { orderId })).code).toBe('REFUND_EXCEEDS');
  });

  it('of money of the inbox gives it free when it is over, and not before', async () => {
    const { shop, payTo } = await sell();
    const { hash } = await (await newPayer(market)).transfer(payTo, 700_000n);
    await settle();
    const entry = await entryOf(market, shop, hash);
    const asked = await decide(market, shop, 'refundUnmatchedPayment', { id: entry?.id });
    const id = asked.answer?.refund.id ?? '';
    await decide(market, shop, 'setRefundDestination', { id, destination: someone(), reason: 'asked by mail' });
    await market.watch();
    expect(await cancel(shop, id)).toMatchObject({ code: 'OK', answer: { refund: { waitsFor: 'CALL_OFF' } } });
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'REFUNDED' });
    await settle();
    expect(await entryOf(market, shop, hash)).toMatchObject({ status: 'OPEN' });
  });
});

describe('a refund', () => {
  it('is no payout that was recorded before its destination was known, wherever the chain puts that', async () => {
    const { shop, orderId } = await sell();
    const other = await sell();
    const destination = other.shop.account.address;
    await market.watch();
    const { raw } = await sendFrom(market.chain, shop.account, {
      to: TEST_TOKEN_ADDRESS,
      data: transferCall(destination, 2_000_000n),
    });
    await market.watch();
    const refund = await addressed(shop, orderId, '2', destination);
    await market.mine();
    await market.watch();
    await reorganize(market, 2);
    await market.watch();
    await market.mine(3);
    await sendAgain(market, raw);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'PENDING', waitsFor: 'TRANSFER' });
    const { hash } = await sendBack(shop, await stateIn(shop, orderId, refund.id));
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'COMPLETED', transaction: { hash } });
  });

  it('of a token that takes a fee is what was sent, and shows what has arrived', async () => {
    const shop = await signIn(market.house);
    const payer = await newPayer(market);
    const { address } = await deployToken(market.chain, payer, fee);
    const token = { address, symbol: 'FEE', name: 'Fee Token', decimals: 6, creditsBalanceDifference: true };
    const assets = [...market.chain.setting.assets, token];
    await registerChain(market.worker, { setting: { ...market.chain.setting, assets }, reader: market.reader });
    const { slug } = await makeLink(market, {
      by: shop,
      accepts: [{ asset: `eip155:31337/erc20:${address}`, amount: '5' }],
    });
    await market.watch();
    const order = await makeOrder(market, { slug, payer: payer.address });
    const call = concatHex([transferCall(shop.account.address, 12_000_000n), order.reference]);
    await payer.send({ to: address, data: call });
    await settle();
    await market.chain.node.setBalance({ address: shop.account.address, value: 10n ** 21n });
    const orderId = encodeGlobalId('PaymentOrder', (await stateOf(market, order)).id);
    const refund = await addressed(shop, orderId, '4', someone());
    // as much arriving as was asked for is more than was to be sent
    const more = transferCall(refund.destination ?? '', 4_444_445n);
    await sendFrom(market.chain, shop.account, { to: address, data: more });
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({ status: 'PENDING' });
    const { hash } = await sendBack(shop, refund);
    await settle();
    expect(await stateIn(shop, orderId, refund.id)).toMatchObject({
      status: 'COMPLETED',
      units: '4000000',
      transaction: { hash, units: '3600000' },
    });
    expect(await market.sql('select units, sent_units from chain_transfers where transaction_hash = $1', hash)).toEqual(
      [{ units: '3600000', sent_units: '4000000' }],
    );
  });
});
