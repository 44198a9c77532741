import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
  toldOf,
} from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

/** A payer and its order of 12.5 TUSD. */
async function begin(): Promise<{ payer: Payer; order: Order }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await market.watch();
  return { payer, order: await makeOrder(market, { slug, payer: payer.address }) };
}

/** Replaces the newest blocks; of their transactions only those that are given come back, each in the block named. */
async function reorganize(depth: number, ...replayed: readonly [raw: Hex, offset: number][]): Promise<void> {
  await market.chain.node.request({ method: 'anvil_reorg', params: [depth, replayed] } as never);
}

async function sendAgain(raw: Hex): Promise<void> {
  const hash = await market.chain.public.sendRawTransaction({ serializedTransaction: raw });
  await market.chain.public.waitForTransactionReceipt({ hash, pollingInterval: 10 });
}

/** Everything that was recorded of one transaction. */
async function recordOf(hash: Hex): Promise<{ status: string; blockNumber: bigint; reversed: boolean }[]> {
  const rows = await market.sql<{ status: string; number: string; reversed: boolean }>(
    `select b.status, b.block_number as number, c.reversed_at is not null as reversed
     from blockchain_transactions b
     join payment_credits c on c.organization_id = b.organization_id and c.blockchain_transaction_id = b.id
     where b.hash = $1`,
    hash,
  );
  return rows.map(({ status, number, reversed }) => ({ status, blockNumber: BigInt(number), reversed }));
}

const LONG_AGO = new Date(Date.UTC(2020, 0, 1));

describe('a payment that the chain takes back', () => {
  it('before it was confirmed reopens its order; sent again, it pays it, by one credit', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
    await reorganize(1);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: [] });
    expect(await recordOf(hash)).toMatchObject([{ status: 'ORPHANED', reversed: true }]);

    await sendAgain(raw);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    expect(await recordOf(hash)).toMatchObject([{ status: 'INCLUDED', reversed: false }]);
    expect(await toldOf(market, order)).toEqual(['created', 'confirming', 'reopened', 'paid']);
  });

  it('after it was paid is told as reversed; sent again, as reinstated, by one credit', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    await reorganize(2);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n, exceptions: ['REORGED'] });

    await sendAgain(raw);
    await market.watch();
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['REORGED'] });
    expect(await recordOf(hash)).toMatchObject([{ status: 'INCLUDED', reversed: false }]);
    expect(await toldOf(market, order)).toEqual(['created', 'paid', 'reversed', 'confirming', 'reinstated']);
  });

  it('after it was paid and the deadline has passed is reinstated all the same when it returns', async () => {
    const { payer, order } = await begin();
    const { raw } = await payer.pay(order);
    await market.mine();
    await market.watch();
    await setDeadline(market, order, LONG_AGO);
    await reorganize(2);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: ['REORGED'] });
    await sendAgain(raw);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n });
    expect(await toldOf(market, order)).toEqual(['created', 'paid', 'reversed', 'reinstated']);
  });

  it('leaves the parts of which it was one', async () => {
    const { payer, order } = await begin();
    await payer.pay(order, { units: 5_000_000n });
    await market.mine(3);
    await payer.pay(order, { units: 7_500_000n });
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    await reorganize(2);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({
      status: 'DETECTED',
      credited: 5_000_000n,
      exceptions: ['REORGED'],
    });
    expect(await toldOf(market, order)).toEqual(['created', 'detected', 'paid', 'reversed']);
  });

  it('does not become paid by blocks above its place while its loss cannot be written down', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await market.watch();
    await reorganize(1);
    await market.mine(3);
    await market.sql(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'it is stuck'; end $$;
      create trigger refuse before update on blockchain_transactions for each row execute function refuse()`);
    await expect(market.watch()).rejects.toThrow('could not be settled');
    await expect(market.watch()).rejects.toThrow('could not be settled');
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
    await market.sql('drop function refuse() cascade');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
  });

  it('may be replaced by another, which pays instead', async () => {
    const { payer, order } = await begin();
    const first = await payer.pay(order);
    await market.watch();
    await reorganize(1);
    const second = await payer.pay(order, { units: 12_500_001n });
    expect(second.hash).not.toBe(first.hash);
    await market.mine();
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: ['OVERPAID'] });
    expect(await recordOf(first.hash)).toMatchObject([{ status: 'ORPHANED', reversed: true }]);
    expect(await recordOf(second.hash)).toMatchObject([{ status: 'INCLUDED', reversed: false }]);
  });
});

describe('a payment that moves to another block', () => {
  it('takes its credit along, and is credited once', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.watch();
    const [before] = await recordOf(hash);
    await market.mine(2);
    await reorganize(3, [raw, 2]);
    await market.watch();
    const after = await recordOf(hash);
    expect(after).toEqual([{ ...before, blockNumber: (before?.blockNumber ?? 0n) + 2n }]);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n, exceptions: [] });
    await market.mine();
    await market.watch();
    expect(await toldOf(market, order)).toEqual(['created', 'confirming', 'paid']);
  });

  it('stays paid where it was paid, and nothing is told', async () => {
    const { payer, order } = await begin();
    const { hash, raw } = await payer.pay(order);
    await market.mine(2);
    await market.watch();
    const [before] = await recordOf(hash);
    await reorganize(3, [raw, 2]);
    await market.watch();
    expect(await recordOf(hash)).toEqual([{ ...before, blockNumber: (before?.blockNumber ?? 0n) + 2n }]);
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', exceptions: [] });
    expect(await toldOf(market, order)).toEqual(['created', 'paid']);
  });

  it('is not confirmed by blocks that were counted before it moved', async () => {
    const { payer, order } = await begin();
    const { raw } = await payer.pay(order);
    await market.watch();
    await market.mine();
    await reorganize(2, [raw, 1]);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING' });
  });
});

describe('an order that was made before its payee’s chain was reorganized', () => {
  it('is paid by its reference in a block of the same height as the one it was made at', async () => {
    const { payer, order } = await begin();
    await market.chain.node.request({ method: 'anvil_rollback', params: [2] } as never);
    const { hash } = await payer.pay(order);
    await market.mine(2);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
    expect(await recordOf(hash)).toHaveLength(1);
  });
});
