import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { Person } from '../support/person.ts';
import { expectBooksToBalance } from './books.ts';
import { decide } from './inbox.ts';
import { type Market, newPayer, openMarket, type Sent, sendFrom, transferCall } from './market.ts';
import { refunding } from './refunding.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const someone = (): Hex => privateKeyToAccount(generatePrivateKey()).address;

const { sell, request, addressed, sendBack, stateIn, settle } = refunding(() => market);

/** How many transfers to an account the watcher has recorded. */
async function recordedAt(destination: Hex): Promise<number> {
  const rows = await market.sql('select from chain_transfers where recipient = $1', destination.toLowerCase());
  return rows.length;
}

/** Whom the watcher awaits at an account; null for everybody. */
async function awaitedAt(destination: Hex): Promise<(string | null)[]> {
  const rows = await market.sql<{ sender: string | null }>(
    'select sender from watched_accounts where address = $1 order by sender',
    destination.toLowerCase(),
  );
  return rows.map(({ sender }) => sender);
}

const give = (by: Person, destination: Hex, units: bigint): Promise<Sent> =>
  sendFrom(market.chain, by.account, { to: TEST_TOKEN_ADDRESS, data: transferCall(destination, units) });

describe('where a refund goes', () => {
  it('is watched for what its payee sends, and for nothing of anybody else', async () => {
    const { shop, payTo, orderId } = await sell();
    const destination = someone();
    const { id } = await addressed(shop, orderId, '2', destination);
    expect(await awaitedAt(destination)).toEqual([payTo]);
    const stranger = await newPayer(market);
    await stranger.transfer(destination, 2_000_000n);
    await stranger.send({ to: destination, value: 10n ** 17n });
    await settle();
    expect(await recordedAt(destination)).toBe(0);
    await give(shop, destination, 1n);
    await settle();
    expect(await recordedAt(destination)).toBe(1);
    await sendBack(shop, await stateIn(shop, orderId, id));
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });
    expect(await recordedAt(destination)).toBe(2);
  });

  it('is watched until the transfer is final, which the chain could take back before', async () => {
    const { shop, payTo, orderId } = await sell();
    const destination = someone();
    const { id } = await addressed(shop, orderId, '2', destination);
    await sendBack(shop, await stateIn(shop, orderId, id));
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });
    expect(await awaitedAt(destination)).toEqual([payTo]);
    await market.mine(66);
    await market.watch();
    expect(await awaitedAt(destination)).toEqual([]);
    await give(shop, destination, 1n);
    await settle();
    expect(await recordedAt(destination)).toBe(1);
  });

  it('is watched for the other refund that goes there, until that is called off, too', async () => {
    const { shop, payTo, orderId } = await sell();
    const destination = someone();
    const [one, two] = [
      await addressed(shop, orderId, '2', destination),
      await addressed(shop, orderId, '3', destination),
    ];
    await decide(market, shop, 'cancelRefund', { id: one.id });
    await settle();
    expect(await awaitedAt(destination)).toEqual([payTo]);
    await decide(market, shop, 'cancelRefund', { id: two.id });
    await settle();
    expect(await awaitedAt(destination)).toEqual([]);
    // and is so again for whatever goes there next
    const { id } = await addressed(shop, orderId, '4', destination);
    await sendBack(shop, await stateIn(shop, orderId, id));
    await settle();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });
  });

  it('stays watched for everybody where it is somebody’s payee', async () => {
    const { shop, payTo, orderId } = await sell();
    const other = await sell();
    const destination = other.shop.account.address;
    const { id } = await addressed(shop, orderId, '2', destination);
    expect(await awaitedAt(destination)).toEqual([payTo, null]);
    await decide(market, shop, 'cancelRefund', { id });
    await settle();
    expect(await awaitedAt(destination)).toEqual([null]);
    const before = await recordedAt(destination);
    await (await newPayer(market)).transfer(destination, 5n);
    await settle();
    expect(await recordedAt(destination)).toBe(before + 1);
  });

  it('is found by whoever reads ranges of blocks, of its payee alone', async () => {
    const { shop, orderId } = await sell();
    const [destination, payee] = [someone(), await sell()];
    const { id } = await addressed(shop, orderId, '2', destination);
    const stranger = await newPayer(market);
    await stranger.transfer(destination, 7n);
    await sendBack(shop, await stateIn(shop, orderId, id));
    await stranger.transfer(payee.payTo, 9n);
    await market.mine(200);
    await market.watch();
    await market.watch();
    expect(await stateIn(shop, orderId, id)).toMatchObject({ status: 'COMPLETED' });
    expect(await recordedAt(destination)).toBe(1);
    expect(await awaitedAt(destination)).toEqual([]);
  });

  it('is not said by whoever may only ask for refunds of others, nor watched then', async () => {
    const { shop, orderId } = await sell();
    const { id } = await request(shop, orderId, '1');
    const destination = someone();
    const stranger = await sell();
    const words = { id, destination, reason: 'not theirs' };
    expect((await decide(market, stranger.shop, 'setRefundDestination', words)).code).toBe('REFUND_NOT_FOUND');
    expect(await awaitedAt(destination)).toEqual([]);
  });
});
