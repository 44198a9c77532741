import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import type { ChainReader, ChainTransferData } from '../../src/ports.ts';
import { expectBooksToBalance } from './books.ts';
import {
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const DUE = 12_500_000n;

/** A payer and its order of 12.5 TUSD. */
async function begin(): Promise<{ payer: Payer; order: Order }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await market.watch();
  return { payer, order: await makeOrder(market, { slug, payer: payer.address }) };
}

/** Replaces the newest blocks; the transactions given come back, each in the block named. */
async function reorganize(depth: number, ...replayed: readonly [raw: Hex, offset: number][]): Promise<void> {
  await market.chain.node.request({ method: 'anvil_reorg', params: [depth, replayed] } as never);
}

const rollback = (depth: number): Promise<unknown> =>
  market.chain.node.request({ method: 'anvil_rollback', params: [depth] } as never);

/** Watches through a node whose blocks are as `change` says: the same transactions, with other outcomes. */
async function watchAs(
  change: (transfer: ChainTransferData) => ChainTransferData | null,
  time: Date | null = null,
): Promise<void> {
  const reader: ChainReader = {
    ...market.reader,
    block: async (number, tokens) => {
      const content = await market.reader.block(number, tokens);
      if (!content) return null;
      const timestamp = time ? BigInt(time.getTime()) / 1000n : content.block.timestamp;
      return {
        block: { ...content.block, timestamp },
        transfers: content.transfers.flatMap((transfer) => change(transfer) ?? []),
      };
    },
  };
  for (let round = 0; round < 2; round += 1) {
    await followChain(market.worker, market.registered(), reader);
    await settleOrders(market.worker, market.registered());
  }
}

describe('a payment that is mined again with another outcome', () => {
  it('of fewer units, credits those, and what was paid is so no more', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE });
    await reorganize(2, [raw, 0]);
    await watchAs((transfer) => (transfer.transactionHash === hash ? { ...transfer, units: 1n } : transfer));
    expect(await stateOf(market, order)).toMatchObject({ status: 'DETECTED', credited: 1n, exceptions: ['REORGED'] });
    await reorganize(2, [raw, 0]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE });
  });

  it('from another sender, pays that one’s order, and gives back what the first was credited', async () => {
    const { payer, order } = await begin();
    const other = await begin();
    const { hash, raw } = await payer.pay(order, { reference: false });
    await market.mine();
    await market.watch();
    await reorganize(2, [raw, 0]);
    const sender = other.payer.address;
    await watchAs((transfer) => (transfer.transactionHash === hash ? { ...transfer, sender } : transfer));
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: ['REORGED'] });
    expect(await stateOf(market, other.order)).toMatchObject({ status: 'PAID', credited: DUE });
    await reorganize(2, [raw, 0]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE });
    expect(await stateOf(market, other.order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('to somebody else, pays nothing any more', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.mine();
    await market.watch();
    await reorganize(2, [raw, 0]);
    const recipient = payer.address;
    await watchAs((transfer) => (transfer.transactionHash === hash ? { ...transfer, recipient } : transfer));
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });
});

describe('a payment instead of one that the chain took back', () => {
  it('in an earlier block, waits until the first is known to be gone, and pays', async () => {
    const { payer, order } = await begin();
    await market.mine(2);
    await payer.pay(order);
    await market.watch();
    await rollback(3);
    await payer.pay(order, { units: DUE + 1n });
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: DUE, exceptions: [] });
    await market.mine(3);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: DUE + 1n,
      exceptions: ['OVERPAID'],
    });
  });

  it('that was refused as its duplicate, pays after all, though the deadline has passed meanwhile', async () => {
    const { payer, order } = await begin();
    const first = await payer.pay(order);
    const second = await payer.pay(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['DUPLICATE'] });
    const expiresAt = new Date(Date.UTC(2020, 0, 1));
    await setDeadline(market, order, expiresAt);
    await reorganize(2, [first.raw, 0], [second.raw, 1]);
    await market.mine();
    await watchAs((transfer) => (transfer.transactionHash === first.hash ? null : transfer), expiresAt);
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE, exceptions: ['REORGED'] });
    await reorganize(3, [first.raw, 0], [second.raw, 1]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'PAID',
      credited: 2n * DUE,
      exceptions: ['OVERPAID', 'REORGED'],
    });
  });

  it('is still its duplicate when the first was only moved, and none when both are gone', async () => {
    const { payer, order } = await begin();
    const first = await payer.pay(order);
    const second = await payer.pay(order);
    await market.watch();
    await reorganize(2, [first.raw, 0], [second.raw, 1]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE, exceptions: ['DUPLICATE'] });
    await reorganize(2);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: ['REORGED'] });
  });
});

describe('an order that was made at a head that the chain took back', () => {
  it('is paid without its reference by a block behind the common ancestor', async () => {
    const { payer, order } = await begin();
    await rollback(2);
    await payer.pay(order, { reference: false });
    await market.watch();
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: DUE });
  });
});
