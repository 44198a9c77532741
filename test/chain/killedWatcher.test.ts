import { concatHex, erc20Abi, type Hex, hexToBigInt, isHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEPT_BELOW_FINALIZED } from '../../src/chain/model.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import { BATCH } from '../../src/payments/model.ts';
import { clearLeftovers, leftovers, until } from '../local/children.ts';
import { expectBooksToBalance } from '../payments/books.ts';
import { CREATE_ORDER, type Market, makeLink, newPayer, openMarket, transferCall } from '../payments/market.ts';
import type { RpcCall } from './door.ts';
import { range } from './ledger.ts';
import { type MortalWorkers, type Obstacle, openMortalWorkers, putInTheWay, sessionOfLeader } from './mortalWorkers.ts';

/** Orders that are paid while nobody reads, and how many of them in two parts. */
const ORDERS = 240;
const IN_PARTS = 12;
const DUE = 12_500_000n;
/** Blocks behind the payments, so that a part of them is final and a part is not. */
const BLOCKS_BEHIND = 100;
/** As many as the watcher reads at once of what is final, and of what is not. */
const RANGE = 200;
const WINDOW = 50;
/** As many as are settled at once: where so many are held, nothing else is. */
const AT_ONCE = 4;
const KILLS = 6;
/** One that leads and others that stand by: one has begun long before it is needed. */
const STANDING = 3;

interface Backlog {
  readonly payTo: string;
  /** The orders, in the order in which they were paid and made. */
  readonly orders: readonly { readonly id: string; readonly reference: Hex }[];
  /** The transfers, each in a block of its own. */
  readonly hashes: readonly Hex[];
  /** The block that was read last, the last one that is read as final, and the newest one. */
  readonly before: number;
  readonly final: number;
  readonly head: number;
}

let market: Market;
let workers: MortalWorkers;
let backlog: Backlog;
/** The sessions that have led the chain, one for each process that did. */
const sessions: (number | null)[] = [];
/** Begins one worker after another. */
let beginning: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  market = await openMarket();
  leftovers.push(() => market.close());
  workers = await openMortalWorkers(market);
  // whoever holds this leads the chain, so that nobody else reads it yet
  await lead('pg_advisory_lock');
  for (let count = 0; count < STANDING; count += 1) begin();
  [backlog] = await Promise.all([makeBacklog(), beginning]);
  await market.sql(`
    create table moves (place int generated always as identity, was bigint, became bigint, final bigint);
    create function note_move() returns trigger language plpgsql security definer as $$
    begin
      insert into moves (was, became, final) values (old.head_number, new.head_number, new.finalized_number);
      return null;
    end $$;
    create trigger note_move after update on chain_incarnations for each row execute function note_move()`);
});
afterAll(clearLeftovers);

async function lead(how: 'pg_advisory_lock' | 'pg_advisory_unlock'): Promise<void> {
  await market.sql(`select ${how}(hashtextextended($1, 0))`, `watch chain ${market.registered().chainId}`);
}

/** Orders that are open, and then paid, each transfer in a block of its own, and enough blocks behind them. */
async function makeBacklog(): Promise<Backlog> {
  const { house, chain, merchant, sql } = market;
  const [payer, { slug, payTo }] = await Promise.all([newPayer(market), makeLink(market)]);
  await market.watch();
  const before = Number(await chain.public.getBlockNumber());
  let left = ORDERS;
  const make = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const input = { slug, payer: payer.address };
      const { errors } = await house.ask(CREATE_ORDER, { input }, { token: merchant.accessToken });
      expect(errors).toEqual([]);
    }
  };
  await Promise.all(Array.from({ length: 6 }, make));
  const orders = await sql<{ id: string; reference: Hex }>(
    `select id, '0x' || encode(reference, 'hex') as reference from payment_orders order by id`,
  );

  const hashes: Hex[] = [];
  // mined one by one: of two that are sent at once both may come into one block
  await chain.node.setAutomine(false);
  let nonce = await chain.public.getTransactionCount({ address: payer.address });
  const send = async (units: bigint, reference: Hex): Promise<void> => {
    const serializedTransaction = await payer.account.signTransaction({
      to: TEST_TOKEN_ADDRESS,
      data: concatHex([transferCall(payTo, units), reference]),
      chainId: market.registered().chainId,
      nonce: nonce++,
      gas: 200_000n,
      maxFeePerGas: 10_000_000_000n,
      maxPriorityFeePerGas: 0n,
    });
    hashes.push(await chain.public.sendRawTransaction({ serializedTransaction }));
    await market.mine();
  };
  for (const { reference } of orders.slice(0, -IN_PARTS)) await send(DUE, reference);
  for (const { reference } of orders.slice(-IN_PARTS)) {
    await send(1n, reference);
    await send(DUE - 1n, reference);
  }
  await market.mine(BLOCKS_BEHIND);
  const [head, { number }] = await Promise.all([
    chain.public.getBlockNumber(),
    chain.public.getBlock({ blockTag: 'finalized' }),
  ]);
  const final = Number(number) - KEPT_BELOW_FINALIZED - 1;
  return { payTo, orders, hashes, before, final, head: Number(head) };
}

/** How far was read, how many transfers were read and judged, and what has come of them. */
type Books = Record<'head' | 'read' | 'judged' | 'credited' | 'final', number>;

async function books(): Promise<Books> {
  const [row] = await market.sql<Books>(`
    select
      (select head_number::int from chain_incarnations) as head,
      (select count(*)::int from chain_transfers) as read,
      (select count(*)::int from chain_transfers where judged_at is not null) as judged,
      (select count(*)::int from payment_credits where reversed_at is null) as credited,
      (select count(*)::int from payment_orders where status = 'FINAL') as final`);
  if (!row) throw new Error('There are no books.');
  return row;
}

/** Kills whoever leads while another one stands by, and has a further one begin, as long as one is needed. */
async function killLeader(): Promise<void> {
  await until(() => workers.ready() > 1);
  sessions.push(await sessionOfLeader(market));
  await workers.kill(workers.leader());
  if (sessions.length + STANDING <= KILLS + 1) begin();
}

function begin(): void {
  beginning = beginning.then(() => workers.begin());
}

/** Holds orders from that one on, as many as are settled at once. */
function holdOrders(first: number): Promise<Obstacle> {
  const ids = backlog.orders.slice(first, first + AT_ONCE).map(({ id }) => id);
  return putInTheWay(market, 'select from payment_orders where id = any ($1::uuid[]) for update', ids);
}

const numberOf = (value: unknown): number => (isHex(value) ? Number(hexToBigInt(value)) : -1);
/** The question for the logs of a range that begins there. */
const asksForLogs =
  (from: number) =>
  ({ method, params: [filter] }: RpcCall): boolean =>
    method === 'eth_getLogs' && numberOf((filter as { fromBlock?: unknown }).fromBlock) === from;
const asksForBlock =
  (number: number) =>
  ({ method, params: [asked] }: RpcCall): boolean =>
    method === 'eth_getBlockByNumber' && numberOf(asked) === number;

describe('a watcher with a backlog that is killed', () => {
  let inTheWay: Obstacle;

  it('while it reads a range has written nothing', async () => {
    const held = workers.hold(asksForLogs(backlog.before + 1));
    await lead('pg_advisory_unlock');
    await held;
    expect(await books()).toEqual({ head: backlog.before, read: 0, judged: 0, credited: 0, final: 0 });
    workers.letThrough();
    inTheWay = await putInTheWay(
      market,
      `insert into chain_transfers (
         incarnation_id, transaction_hash, ordinal, asset_id, sender, recipient, units, input,
         block_number, block_hash, block_time
       )
       select $1, $2, 0, id, $3, $3, 1, '', 0, $2, now() from assets where address is not null`,
      market.registered().incarnationId,
      backlog.hashes[RANGE / 2],
      backlog.payTo,
    );
    await killLeader();
  });

  it('while it writes what it has read, its head moved already, has written nothing either', async () => {
    await inTheWay.meets('recordTransfers', 1);
    expect(await books()).toEqual({ head: backlog.before, read: 0, judged: 0, credited: 0, final: 0 });
    const held = workers.hold(asksForLogs(backlog.before + RANGE + 1));
    await killLeader();
    await inTheWay.clear();
    await held;
  });

  it('between what it has written and what it has not read has left the one to be judged', async () => {
    const head = backlog.before + RANGE;
    expect(await books()).toEqual({ head, read: RANGE, judged: 0, credited: 0, final: 0 });
    const held = workers.hold(asksForBlock(backlog.final + 2));
    await killLeader();
    await held;
  });

  it('while it reads blocks that are not final yet has kept all that are', async () => {
    const read = backlog.hashes.length;
    expect(await books()).toEqual({ head: backlog.final, read, judged: 0, credited: 0, final: 0 });
    workers.letThrough();
    inTheWay = await holdOrders(20);
    await killLeader();
  });

  it('while it settles has credited some, and of those that it was about to credit none', async () => {
    await inTheWay.meets('holdOrder', AT_ONCE);
    const { head, hashes } = backlog;
    expect(await books()).toEqual({ head, read: hashes.length, judged: 20, credited: 20, final: 0 });
    const next = await holdOrders(10);
    await killLeader();
    await inTheWay.clear();
    inTheWay = next;
  });

  it('while it makes orders final has made some so', async () => {
    await inTheWay.meets('lockOrder', AT_ONCE);
    expect(await books()).toMatchObject({ head: backlog.head, judged: 20 + BATCH, credited: 20 + BATCH, final: 10 });
    await killLeader();
    await inTheWay.clear();
  });
});

describe('and at the end', () => {
  it('every order has all that was paid for it, each transfer once, and was told of once', async () => {
    await until(async () => (await books()).final === ORDERS);
    const { hashes, orders, payTo } = backlog;
    expect(await books()).toMatchObject({ read: hashes.length, judged: hashes.length, credited: hashes.length });
    const paid = await market.sql<{ credited: string; hashes: string[] }>(
      `select o.credited_units::text as credited, array_agg(b.hash order by b.block_number) as hashes
       from payment_orders o
       join payment_credits c on c.organization_id = o.organization_id and c.payment_order_id = o.id
       join blockchain_transactions b on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
       where c.reversed_at is null and o.exceptions = '{}'
       group by o.organization_id, o.id
       order by o.id`,
    );
    expect(paid.map(({ credited }) => credited)).toEqual(orders.map(() => String(DUE)));
    expect(paid.flatMap((order) => order.hashes)).toEqual(hashes);
    const told = await market.sql(
      `select replace(type, 'payment-order.', '') as type, count(*)::int, count(distinct aggregate_id)::int as orders
       from events where aggregate_type = 'payment-order' group by type order by type`,
    );
    expect(told).toEqual([
      { type: 'created', count: ORDERS, orders: ORDERS },
      { type: 'detected', count: IN_PARTS, orders: IN_PARTS },
      { type: 'finalized', count: ORDERS, orders: ORDERS },
      { type: 'paid', count: ORDERS, orders: ORDERS },
    ]);
    const [sum] = await market.sql<{ units: string }>('select sum(credited_units)::text as units from payment_orders');
    const balance = await market.chain.public.readContract({
      address: TEST_TOKEN_ADDRESS,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [payTo as Hex],
    });
    expect(BigInt(sum?.units ?? 0)).toBe(balance);
    await expectBooksToBalance(market);
  });

  it('the head has gone from block to block without a gap, and never back', async () => {
    const { before, final, head } = backlog;
    const moves = await market.sql<{ was: string; became: string; final: string | null }>(
      'select was, became, final from moves where was <> became order by place',
    );
    expect(moves.map(({ was, became }) => [Number(was), Number(became)])).toEqual([
      [before, before + RANGE],
      [before + RANGE, final],
      [final, final + WINDOW],
      [final + WINDOW, head],
    ]);
    const finals = await market.sql<{ final: string | null }>('select final from moves order by place');
    const told = finals.map(({ final: block }) => Number(block ?? 0));
    expect(told).toEqual([...told].sort((one, other) => one - other));
    expect(told.at(-1)).toBe(final + KEPT_BELOW_FINALIZED + 1);
    const kept = await market.sql<{ number: string; hash: Hex }>(
      'select number, hash from chain_blocks order by number',
    );
    expect(kept.map(({ number }) => Number(number))).toEqual(range(final + 1, head));
    for (const { number, hash } of kept) {
      expect((await market.chain.public.getBlock({ blockNumber: BigInt(number) })).hash).toBe(hash);
    }
  });

  it('another one has led the chain each time', async () => {
    sessions.push(await sessionOfLeader(market));
    expect(sessions).toHaveLength(KILLS + 1);
    expect(new Set(sessions).size).toBe(KILLS + 1);
    expect(sessions).not.toContain(null);
    await beginning;
  });
});
