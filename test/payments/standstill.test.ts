import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import { startWorker } from '../../src/worker.ts';
import { type Door, openDoor } from '../chain/door.ts';
import { expectBooksToBalance } from './books.ts';
import {
  CREATE_ORDER,
  type Market,
  makeLink,
  makeOrder,
  newPayer,
  type Order,
  openMarket,
  type Payer,
  setDeadline,
  stateOf,
  timeOfHead,
  toldOf,
} from './market.ts';

let market: Market;
let door: Door;
beforeAll(async () => {
  market = await openMarket();
  door = await openDoor(market.chain.rpcUrl);
});
afterEach(async () => {
  door.rewrite = null;
  await expectBooksToBalance(market);
});
afterAll(async () => {
  await door.close();
  await market.close();
});

/** Reads and settles once, as of a chain whose blocks come by themselves. */
async function watch(minesOnDemand = false): Promise<string> {
  const chain = { ...market.registered(), minesOnDemand };
  const outcome = await followChain(market.worker, chain, market.reader);
  await settleOrders(market.worker, chain);
  return outcome;
}

/** An order whose time ends with the second after the newest block that was read, and that time is over. */
async function beginOverdue(): Promise<{ payer: Payer; order: Order; end: Date }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  await watch();
  const order = await makeOrder(market, { slug, payer: payer.address });
  const end = new Date((await timeOfHead(market)).getTime() + 1_000);
  await setDeadline(market, order, end);
  while (Date.now() <= end.getTime() + 50) await sleep(50);
  return { payer, order, end };
}

const inSeconds = (time: Date): bigint => BigInt(time.getTime() / 1_000);

describe('an order whose time is over, while the head stands still', () => {
  it('waits for a block behind its deadline, and takes a payment in a block before it', async () => {
    const { payer, order, end } = await beginOverdue();
    await watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', exceptions: [] });
    await market.chain.node.setNextBlockTimestamp({ timestamp: inSeconds(end) });
    await payer.pay(order);
    await watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CONFIRMING', credited: 12_500_000n });
    expect(await toldOf(market, order)).not.toContain('expired');
  });

  it('ends with the first block behind its deadline', async () => {
    const { order, end } = await beginOverdue();
    await market.chain.node.setNextBlockTimestamp({ timestamp: inSeconds(end) });
    await market.mine();
    await watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
    await market.chain.node.setNextBlockTimestamp({ timestamp: inSeconds(end) + 1n });
    await market.mine();
    await watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED' });
  });

  it('ends by the clock on a chain that mines on demand', async () => {
    const { order } = await beginOverdue();
    await sleep(1_000);
    expect(await watch(true)).toBe('following');
    expect(await stateOf(market, order)).toMatchObject({ status: 'EXPIRED' });
  });
});

/** As if the head had last moved more than a minute ago. */
const passAMinute = (): Promise<unknown[]> =>
  market.sql(`update chain_incarnations set caught_up_at = clock_timestamp() - interval '61 s'`);

const stateOfChain = async (): Promise<unknown> => {
  const { data } = await market.house.ask<{ chains: { status: { state: string } }[] }>(
    '{ chains { status { state } } }',
  );
  return data?.chains[0]?.status.state;
};

describe('a head that has not moved for a minute', () => {
  it('makes the chain be behind: it takes no orders, until the head moves', async () => {
    const { slug } = await makeLink(market);
    await market.mine();
    expect(await watch()).toBe('following');
    await passAMinute();
    expect(await watch()).toBe('waiting');
    expect(await stateOfChain()).toBe('BEHIND');
    const input = { slug, payer: `0x${'ab'.repeat(20)}` };
    const { errors } = await market.house.ask(CREATE_ORDER, { input });
    expect(errors).toMatchObject([{ extensions: { code: 'CHAIN_UNAVAILABLE' } }]);
    await market.mine();
    expect(await watch()).toBe('following');
    expect(await stateOfChain()).toBe('READING');
    expect((await makeOrder(market, input)).due.units).toBe('12500000');
  });

  it('means nothing before the minute is over, nor on a chain that mines on demand', async () => {
    await market.mine();
    await watch();
    expect(await watch()).toBe('following');
    expect(await stateOfChain()).toBe('READING');
    await passAMinute();
    expect(await watch(true)).toBe('following');
    expect(await stateOfChain()).toBe('READING');
  });

  it('has the next node asked', async () => {
    await market.mine();
    await watch();
    const stood = `0x${(await market.chain.public.getBlockNumber({ cacheTime: 0 })).toString(16)}`;
    door.rewrite = ({ method }, result) => (method === 'eth_blockNumber' ? stood : result);
    await market.mine(5);
    const head = await market.chain.public.getBlockNumber({ cacheTime: 0 });
    await passAMinute();
    const { house, chain } = market;
    const worker = startWorker({
      database: house.resources.database,
      databaseUrl: house.database.gatewayUrl,
      chains: [{ ...chain.setting, minesOnDemand: false, rpcUrl: door.url, otherRpcUrls: [chain.rpcUrl] }],
      retentionDays: 30,
      log: pino({ level: 'silent' }),
    });
    const read = async (): Promise<unknown> => {
      const [row] = await market.sql('select head_number from chain_incarnations where current');
      return row?.head_number;
    };
    while ((await read()) !== String(head)) await sleep(50);
    await worker.stop();
    expect(await stateOfChain()).toBe('READING');
  });
});
