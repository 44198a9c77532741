import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { poolOptions } from '../../src/database/pool.ts';
import { openDatabase } from '../../src/database/scope.ts';
import { readEnvironment } from '../../src/environment.ts';
import { encodeGlobalId } from '../../src/kernel/ids.ts';
import { settleOrders } from '../../src/payments/jobs.ts';
import { BATCH } from '../../src/payments/model.ts';
import { startWorker } from '../../src/worker.ts';
import { openDoor } from '../chain/door.ts';
import { until } from '../local/children.ts';
import { expectBooksToBalance } from './books.ts';
import { inboxOf } from './inbox.ts';
import { type Market, makeLink, makeOrder, newPayer, openMarket, stateOf, toldOf, transferCall } from './market.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterEach(() => expectBooksToBalance(market));
afterAll(() => market.close());

const DUE = 12_500_000n;

describe('what nobody has read while the worker was away', () => {
  it('comes to what it would have come to one after another', async () => {
    const { slug, payTo } = await makeLink(market);
    await market.watch();
    const [ann, bob, eve] = [await newPayer(market), await newPayer(market), await newPayer(market)];
    const order = ({ address }: { readonly address: string }) => makeOrder(market, { slug, payer: address });
    await market.watch();
    // each names its order
    const apart = [await order(ann), await order(ann), await order(ann), await order(ann)];
    const twice = await order(ann);
    const parts = await order(ann);
    // nothing tells which of the two the second transfer is for, until the first has named one of them
    const [named, left] = [await order(bob), await order(bob)];
    // one calldata names both, so the first that takes it has it
    const [first, second] = [await order(eve), await order(eve)];

    for (const one of apart) await ann.pay(one);
    await ann.pay(twice);
    await ann.pay(parts, { units: 1n });
    await ann.pay(twice);
    await ann.pay(parts, { units: DUE - 1n });
    await bob.pay(named);
    await bob.transfer(payTo, DUE);
    const both = `${first.reference}${second.reference.slice(2)}` as const;
    await eve.transfer(payTo, DUE, { suffix: both });
    await eve.transfer(payTo, DUE, { suffix: both });
    await market.watch();

    for (const one of [...apart, parts, named, left, first, second]) {
      expect(await stateOf(market, one)).toMatchObject({ credited: DUE, exceptions: [] });
    }
    expect(await stateOf(market, twice)).toMatchObject({ credited: DUE, exceptions: ['DUPLICATE'] });
    expect(await toldOf(market, parts)).toEqual(expect.arrayContaining(['created', 'detected']));
    const [entry, ...others] = await inboxOf(market, market.merchant);
    expect(entry).toMatchObject({ reason: 'DUPLICATE' });
    expect(others).toEqual([]);
  });
});

describe('while no node answers', () => {
  it('what members decide is settled all the same', async () => {
    const payer = await newPayer(market);
    const { slug } = await makeLink(market);
    await market.watch();
    const order = await makeOrder(market, { slug, payer: payer.address });
    const { id } = await stateOf(market, order);
    const door = await openDoor(market.chain.rpcUrl);
    const failures = async (): Promise<unknown[]> =>
      market.sql('select from chain_incarnations where current and failing_since is not null');
    const worker = startWorker({
      database: market.worker.database,
      databaseUrl: market.house.database.gatewayUrl,
      chains: [{ ...market.chain.setting, rpcUrl: door.url }],
      retentionDays: 30,
      log: market.worker.log,
    });
    try {
      // it has read, and then reads no more
      await market.mine();
      const head = await market.chain.public.getBlockNumber();
      await until(async () => (await market.sql('select from chain_blocks where number = $1', head)).length > 0);
      door.intercept = (_, response) => {
        response.writeHead(503).end();
        return true;
      };
      await until(async () => (await failures()).length > 0);
      await market.house.ask(
        `mutation ($input: RecordManualPaymentInput!) {
          recordManualPayment(input: $input) { providerTransaction { id } }
        }`,
        { input: { orderId: encodeGlobalId('PaymentOrder', id), amount: '12.5', reference: 'receipt 1' } },
        { token: market.merchant.accessToken },
      );
      await until(async () => (await stateOf(market, order)).status === 'FINAL');
      expect(await failures()).toHaveLength(1);
    } finally {
      await worker.stop();
      await door.close();
    }
  });
});

describe('a round', () => {
  it('credits an order in eight round trips, and assesses one in five', async () => {
    const payer = await newPayer(market);
    const { slug } = await makeLink(market);
    await market.watch();
    const order = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(order);
    const said: string[][] = [];
    const database = openDatabase({
      ...poolOptions(readEnvironment({ NODE_ENV: 'test' }), market.house.database.gatewayUrl),
      onPacket: (packet) => said.push(packet.map(({ text }) => /\/\* (\w+) \*\//.exec(text)?.[1] ?? text.slice(0, 6))),
    });
    const worker = { ...market.worker, database };
    /** What is asked for one after another, the asking for what there is to do left out. */
    const settle = async (): Promise<string[]> => {
      await followChain(market.worker, market.registered(), market.reader);
      said.length = 0;
      await settleOrders(worker, market.registered());
      const packets = said.map((packet) => packet.filter((name) => name !== 'enterWorker').join(' '));
      const begin = packets.findIndex((packet) => /findFittingOrders|lockOrder/.test(packet));
      return packets.slice(begin, packets.findIndex((packet, place) => place > begin && packet === 'COMMIT') + 1);
    };
    try {
      expect(await settle()).toEqual([
        'findFittingOrders',
        'begin markJudged',
        'holdOrder',
        'creditTransfer',
        'readOrder',
        'writeAssessment',
        'appendEvent',
        'COMMIT',
      ]);
      await market.mine();
      expect(await settle()).toEqual(['begin lockOrder', 'readOrder', 'writeAssessment', 'appendEvent', 'COMMIT']);
    } finally {
      await database.close();
    }
  });

  it('settles with one connection as well', async () => {
    const payers = [await newPayer(market), await newPayer(market), await newPayer(market)];
    const { slug } = await makeLink(market);
    await market.watch();
    const orders = await Promise.all(payers.map(({ address }) => makeOrder(market, { slug, payer: address })));
    for (const [place, order] of orders.entries()) await payers[place]?.pay(order);
    await followChain(market.worker, market.registered(), market.reader);
    const alone = readEnvironment({ NODE_ENV: 'test', DATABASE_POOL_MIN: '1', DATABASE_POOL_MAX: '1' });
    const database = openDatabase(poolOptions(alone, market.house.database.gatewayUrl));
    try {
      expect(await settleOrders({ ...market.worker, database }, market.registered())).toBe(false);
    } finally {
      await database.close();
    }
    for (const order of orders) expect(await stateOf(market, order)).toMatchObject({ credited: DUE });
  });

  it('takes a page of what waits, and says that there is more', async () => {
    const payer = await newPayer(market);
    const { payTo } = await makeLink(market);
    await market.watch();
    await payer.send({ to: TEST_TOKEN_ADDRESS, data: transferCall(payTo, 1n) });
    await followChain(market.worker, market.registered(), market.reader);
    // as many more like it, further up in its block
    await market.sql(
      `insert into chain_transfers
       select (jsonb_populate_record(t, jsonb_build_object('id', uuid_v7(), 'ordinal', t.ordinal + n))).*
       from chain_transfers t cross join generate_series(1, $1::int) n
       where t.judged_at is null`,
      BATCH,
    );
    const waiting = async (): Promise<number> =>
      Number(
        (await market.sql<{ count: string }>('select count(*) from chain_transfers where judged_at is null'))[0]?.count,
      );
    expect(await waiting()).toBe(BATCH + 1);
    expect(await settleOrders(market.worker, market.registered())).toBe(true);
    expect(await waiting()).toBe(1);
    expect(await settleOrders(market.worker, market.registered())).toBe(false);
    expect(await waiting()).toBe(0);
  });
});
