import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { assessOrder } from '../../src/payments/commands/assessOrder.ts';
import { judgeTransfer } from '../../src/payments/commands/judgeTransfer.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import { expectBooksToBalance } from './books.ts';
import { type Market, makeLink, makeOrder, newPayer, type Order, openMarket, stateOf, toldOf } from './market.ts';

type UnjudgedTransfer = Parameters<typeof judgeTransfer>[1];

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

/** An order with a full payment that was read and not yet judged. */
async function paidUnjudged(): Promise<{ order: Order; transfer: UnjudgedTransfer }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await market.watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const { hash } = await payer.pay(order);
  await followChain(market.worker, market.registered(), market.reader);
  const [transfer] = await market.sql<UnjudgedTransfer & { number: string }>(
    `select id, incarnation_id as "incarnationId", transaction_hash as "transactionHash", ordinal,
       asset_id as "assetId", sender, recipient, units::text, units::text as "sentUnits", input, block_number as number,
       block_hash as "blockHash", block_time as "blockTime", orphaned,
       claimed_organization_id as "claimedOrganizationId", claimed_for_id as "claimedForId"
     from chain_transfers where transaction_hash = $1`,
    hash,
  );
  if (!transfer) throw new Error('The transfer was not read.');
  return { order, transfer: { ...transfer, blockNumber: BigInt(transfer.number) } };
}

const judge = (transfer: UnjudgedTransfer): Promise<void> => judgeTransfer(market.worker, transfer);

/** Waits until somebody waits for a lock in this database. */
async function untilSomebodyWaits(): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  while ((await market.sql(waiting)).length === 0) await sleep(10);
}

describe('judging a transfer', () => {
  it('that has moved since it was read does nothing, and leaves it to the next round', async () => {
    const { order, transfer } = await paidUnjudged();
    await judge({ ...transfer, blockHash: `0x${'00'.repeat(32)}` });
    await judge({ ...transfer, orphaned: true });
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await judge(transfer);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n });
  });

  it('many times at once credits it once', async () => {
    const { order, transfer } = await paidUnjudged();
    await Promise.allSettled(Array.from({ length: 6 }, () => judge(transfer)));
    await judge(transfer);
    expect(await stateOf(market, order)).toMatchObject({
      status: 'CONFIRMING',
      credited: 12_500_000n,
      exceptions: [],
    });
    expect(await toldOf(market, order)).toEqual(['created', 'confirming']);
  });

  it('whose order changes in the same moment is undone, and judged anew by the next round', async () => {
    const { order, transfer } = await paidUnjudged();
    const other = new pg.Client({ connectionString: market.house.database.adminUrl });
    await other.connect();
    await other.query('begin');
    await other.query(`update payment_orders set status = 'EXPIRED' where reference = decode($1, 'hex')`, [
      order.reference.slice(2),
    ]);
    const judged = expect(judge(transfer)).rejects.toThrow('The matched order has changed meanwhile.');
    await untilSomebodyWaits();
    await other.query('commit');
    await other.end();
    await judged;
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: [] });
    await settleOrders(market.worker, market.registered());
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED', credited: 0n, exceptions: ['LATE'] });
  });
});

describe('assessing an order', () => {
  it('many times at once tells of it once, and fails for nobody', async () => {
    const { order, transfer } = await paidUnjudged();
    await judge(transfer);
    await market.mine();
    await followChain(market.worker, market.registered(), market.reader);
    const { id } = await stateOf(market, order);
    const [{ organizationId } = { organizationId: '' }] = await market.sql<{ organizationId: string }>(
      'select organization_id as "organizationId" from payment_orders where id = $1',
      id,
    );
    const { worker } = market;
    const scope = worker.database.as({ kind: 'worker', requestId: worker.requestId, organizationId });
    const assess = () => scope.transaction((tx) => assessOrder(worker, tx, { organizationId, orderId: id }));
    await Promise.all(Array.from({ length: 6 }, assess));
    expect(await toldOf(market, order)).toEqual(['created', 'confirming', 'paid']);
  });

  it('of another tenant is refused', async () => {
    const { order } = await paidUnjudged();
    const { id } = await stateOf(market, order);
    const organizationId = '00000000-0000-7000-8000-000000000000';
    const { worker } = market;
    const scope = worker.database.as({ kind: 'worker', requestId: worker.requestId, organizationId });
    const assessed = scope.transaction((tx) => assessOrder(worker, tx, { organizationId, orderId: id }));
    await expect(assessed).rejects.toThrow('not in its tenant');
    await settleOrders(market.worker, market.registered());
  });
});
