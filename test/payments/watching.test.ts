import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followChain } from '../../src/chain/jobs.ts';
import type { ChainSetting } from '../../src/environment.ts';
import { startWorker, type Worker } from '../../src/worker.ts';
import { type Door, openDoor } from '../chain/door.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
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
  stateOf,
  toldOf,
} from './market.ts';

let market: Market;
let door: Door;
const workers: Worker[] = [];
const others: DevelopmentChain[] = [];

beforeAll(async () => {
  market = await openMarket();
  door = await openDoor(market.chain.rpcUrl);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  door.intercept = () => false;
  await expectBooksToBalance(market);
});
afterAll(async () => {
  await door.close();
  await Promise.all(others.map((chain) => chain.stop()));
  await market.close();
});

/** What the workers have warned of. */
const warnings: string[] = [];

/** A worker as a process has it, in front of whose node stands a door. */
function work(): Worker {
  const setting: ChainSetting = { ...market.chain.setting, rpcUrl: door.url };
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
  const { house } = market;
  const worker = startWorker({
    database: house.resources.database,
    databaseUrl: house.database.gatewayUrl,
    chains: [setting],
    retentionDays: 30,
    log,
  });
  workers.push(worker);
  return worker;
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await sleep(25);
}

const becomes = (order: Order, status: string): Promise<void> =>
  until(async () => (await stateOf(market, order)).status === status);

/** A payer and its order of 12.5 TUSD; where no worker watches the chain, it is watched once by hand. */
async function begin(): Promise<{ payer: Payer; order: Order }> {
  const payer = await newPayer(market);
  const { slug } = await makeLink(market);
  if (workers.length === 0) await market.watch();
  return { payer, order: await makeOrder(market, { slug, payer: payer.address }) };
}

describe('a worker', () => {
  it('that was stopped catches up with two hundred blocks, and misses no payment in them', async () => {
    const first = work();
    const { payer, order } = await begin();
    const later = await begin();
    await first.stop();
    await market.mine(100);
    await payer.pay(order);
    await market.mine(99);
    await later.payer.pay(later.order);
    await sleep(600);
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
    work();
    await becomes(order, 'FINAL');
    await becomes(later.order, 'CONFIRMING');
    expect(await toldOf(market, order)).toEqual(['created', 'paid', 'finalized']);
    await market.mine();
    await becomes(later.order, 'PAID');
  });

  it('that stands by takes over when the leader loses its lock', async () => {
    work();
    work();
    const { payer, order } = await begin();
    // Of the two workers two each, and the gateway's own, which sweeps.
    const leaders = `application_name = 'tollhouse leader' and datname = current_database()`;
    await until(async () => (await market.sql(`select from pg_stat_activity where ${leaders}`)).length === 5);
    await market.sql(
      `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and ${leaders}`,
    );
    await payer.pay(order);
    await market.mine();
    await becomes(order, 'PAID');
    expect(await toldOf(market, order)).toEqual(['created', 'paid']);
  });

  it('whose node fails for a while says so, tries again, and misses nothing', async () => {
    work();
    const { payer, order } = await begin();
    let failed = 0;
    door.intercept = (_, response) => {
      failed += 1;
      response.writeHead(503).end();
      return true;
    };
    await payer.pay(order);
    await market.mine();
    // What fails within a round is asked for again at first; the node has to fail until that round is given up.
    await until(() => failed > 2 && warnings.join().includes('background work failed; it is tried again'));
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED' });
    door.intercept = () => false;
    await becomes(order, 'PAID');
    expect(warnings.join()).not.toContain(door.url);
  });
});

describe('several watchers without a leader', () => {
  it('credit each transfer once', async () => {
    const begun = [await begin(), await begin(), await begin()];
    const watch = () => Promise.allSettled([market.watch(), market.watch(), market.watch()]);
    for (const { payer, order } of begun) {
      const [part, rest] = [4_000_000n, 8_500_000n];
      await payer.pay(order, { units: part });
      await watch();
      await payer.pay(order, { units: rest });
      await market.mine();
      await watch();
    }
    await market.watch();
    for (const { order } of begun) {
      expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
      expect((await toldOf(market, order)).at(-1)).toBe('paid');
    }
  });
});

describe('an order that cannot be settled', () => {
  it('does not hold up the others, and is settled when it can be', async () => {
    const [stuck, other] = [await begin(), await begin()];
    await market.sql(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'it is stuck'; end $$;
      create trigger refuse before update on payment_orders for each row
        when (new.reference = '\\${stuck.order.reference.slice(1)}') execute function refuse()`);
    await stuck.payer.pay(stuck.order);
    await other.payer.pay(other.order);
    await market.mine();
    await expect(market.watch()).rejects.toThrow('1 transfers or orders could not be settled.');
    expect(await stateOf(market, stuck.order)).toMatchObject({ status: 'CREATED', credited: 0n });
    expect(await stateOf(market, other.order)).toMatchObject({ status: 'PAID' });
    await market.sql('drop function refuse() cascade');
    await market.watch();
    expect(await stateOf(market, stuck.order)).toMatchObject({ status: 'PAID' });
  });
});

describe('a chain', () => {
  const refusal = async (slug: string): Promise<string | undefined> => {
    const payer = `0x${'9'.repeat(40)}`;
    const { errors } = await market.house.ask(CREATE_ORDER, { input: { slug, payer } });
    return errors[0]?.extensions.code;
  };

  it('that was reorganized deeper than its window is halted, takes no orders, and takes nothing back', async () => {
    const { payer, order } = await begin();
    await payer.pay(order);
    await market.mine();
    await market.watch();
    await market.sql(`delete from chain_blocks b using chain_incarnations i
      where i.id = b.incarnation_id and b.number < i.head_number`);
    await market.chain.node.request({ method: 'anvil_reorg', params: [2, []] } as never);
    await market.watch();
    const [state] = await market.sql<{ halt_reason: string }>('select halt_reason from chain_incarnations');
    expect(state?.halt_reason).toContain('reorganized deeper than the 1 blocks');
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID', credited: 12_500_000n, exceptions: [] });
    expect(await refusal((await makeLink(market)).slug)).toBe('CHAIN_UNAVAILABLE');
  });

  it('that is halted settles nothing, until somebody has looked', async () => {
    await market.sql('delete from chain_blocks');
    await market.sql('update chain_incarnations set halt_reason = null, halted_at = null, head_number = null');
    await market.watch();
    const { payer, order } = await begin();
    await payer.pay(order);
    await market.mine(3);
    await followChain(market.worker, market.registered(), market.reader);
    await market.sql(`update chain_incarnations set halt_reason = 'deep', halted_at = now() where current`);
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'CREATED', credited: 0n });
    await market.sql('update chain_incarnations set halt_reason = null, halted_at = null where current');
    await market.watch();
    expect(await stateOf(market, order)).toMatchObject({ status: 'PAID' });
  });

  it('that was reset is another history: open orders need a review, paid ones stay, new ones work', async () => {
    await market.sql('delete from chain_blocks');
    await market.sql('update chain_incarnations set halt_reason = null, halted_at = null, head_number = null');
    await market.watch();
    work();
    const paid = await begin();
    await paid.payer.pay(paid.order);
    await market.mine();
    await becomes(paid.order, 'PAID');
    const [open, partial] = [await begin(), await begin()];
    await partial.payer.pay(partial.order, { units: 1n });
    await becomes(partial.order, 'DETECTED');
    const { slug } = await makeLink(market);
    // one that cannot be settled keeps nobody from noticing that
    const stuck = await begin();
    await market.sql(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'it is stuck'; end $$;
      create trigger refuse before update on payment_orders for each row
        when (new.reference = '\\${stuck.order.reference.slice(1)}' and new.credited_units > 0)
        execute function refuse()`);
    await stuck.payer.pay(stuck.order);
    await until(() => warnings.join().includes('some could not be settled; it is tried again'));

    // Two chains that begin in the same second have the same genesis block.
    const genesis = await market.chain.public.getBlock({ blockNumber: 0n });
    await until(() => Date.now() > Number(genesis.timestamp + 1n) * 1_000);
    const anew = await openDevelopmentChain();
    others.push(anew);
    door.target = anew.rpcUrl;
    for (const { order } of [open, partial]) {
      await becomes(order, 'FAILED');
      expect((await stateOf(market, order)).exceptions).toEqual(['NEEDS_REVIEW']);
      expect((await toldOf(market, order)).at(-1)).toBe('failed');
    }
    expect(await stateOf(market, paid.order)).toMatchObject({ status: 'PAID', exceptions: [] });
    await market.sql('drop function refuse() cascade');
    await market.sql('update chain_transfers set judged_at = clock_timestamp() where judged_at is null');
    await until(() => warnings.join().includes('it was reset, and is read as a new incarnation'));
    expect(await market.sql('select halt_reason from chain_incarnations where halt_reason is not null')).toEqual([]);

    await until(async () => (await refusal(slug)) === undefined);
    const payer = await newPayer({ chain: anew });
    const order = await makeOrder(market, { slug, payer: payer.address });
    await payer.pay(order);
    await anew.node.mine({ blocks: 1 });
    await becomes(order, 'PAID');
  });
});
