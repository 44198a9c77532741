import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import { followChain } from '../../src/chain/jobs.ts';
import { createNodeReader } from '../../src/chain/providers/nodeReader.ts';
import { TEST_TOKEN_ADDRESS } from '../../src/chain/providers/testToken.ts';
import type { ChainReader } from '../../src/ports.ts';
import { callerOf, deployLookAlike } from '../payments/contracts.ts';
import { newPayer, type Payer, sendFrom, transferCall } from '../payments/market.ts';
import { type DevelopmentChain, openDevelopmentChain } from '../support/chain.ts';
import { FULL, seeded } from '../support/scale.ts';
import { type Door, openDoor } from './door.ts';
import { keptOf, type Ledger, openLedger } from './ledger.ts';

const PAYEES = ['a1', 'a2', 'a3'].map((byte): Hex => `0x${byte.repeat(20)}`);
const STRANGERS = ['b1', 'b2'].map((byte): Hex => `0x${byte.repeat(20)}`);

let chain: DevelopmentChain;
let door: Door;
let payer: Payer;
let lookAlike: Hex;
/** Two that read the same blocks, one by ranges and one block by block. */
let byRanges: Ledger;
let byBlocks: Ledger;
/** What the node was asked, batches included. */
let asked: string[] = [];

beforeAll(async () => {
  chain = await openDevelopmentChain();
  door = await openDoor(chain.rpcUrl);
  payer = await newPayer({ chain });
  lookAlike = await deployLookAlike({ chain }, payer);
  [byRanges, byBlocks] = await Promise.all([openLedger(), openLedger()]);
});
afterEach(() => {
  door.intercept = () => false;
  door.rewrite = null;
});
afterAll(async () => {
  await byRanges.close();
  await byBlocks.close();
  await door.close();
  await chain.stop();
});

/** The door's node, which tells what it is asked. */
function readerBehindDoor(): ChainReader {
  asked = [];
  door.intercept = ({ method }) => {
    asked.push(method);
    return false;
  };
  return createNodeReader({ chainId: 31_337, rpcUrl: door.url });
}

/** The same node, which knows of no ranges. */
function withoutRanges(): ChainReader {
  return { ...createNodeReader({ chainId: 31_337, rpcUrl: chain.rpcUrl }), range: async () => null };
}

/** Begins to read the chain at its present head, with the payees watched. */
async function begin(ledger: Ledger, native: boolean): Promise<RegisteredChain> {
  const reader = withoutRanges();
  const assets = chain.setting.assets.filter(({ address }) => native || address !== undefined);
  const registered = await registerChain(ledger.worker, { setting: { ...chain.setting, assets }, reader });
  await ledger.sql(
    `insert into watched_accounts (chain_id, address) select 31337, unnest($1::text[]) on conflict do nothing`,
    PAYEES,
  );
  await followChain(ledger.worker, registered, reader);
  return registered;
}

/** All that is kept of a chain but what is another in each database. */
async function everything(ledger: Ledger, registered: RegisteredChain): Promise<unknown> {
  const { head, finalized, blocks, hashes } = await keptOf(ledger, registered);
  const transfers = await ledger.sql(
    `select t.transaction_hash, t.ordinal, a.caip19, t.sender, t.recipient, t.units::text, encode(t.input, 'hex') as input,
       t.block_number::int, t.block_hash, t.block_time, t.orphaned, t.judged_at
     from chain_transfers t join assets a on a.id = t.asset_id
     where t.incarnation_id = $1 order by t.block_number, t.transaction_hash, t.ordinal`,
    registered.incarnationId,
  );
  return { head, finalized, blocks, hashes, transfers };
}

/** Blocks of whatever a chain has, by chance. */
async function mineAtRandom(seed: number, steps: number): Promise<void> {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const anybody = (): Hex => [...PAYEES, ...STRANGERS][below(5)] as Hex;
  const units = (): bigint => BigInt(1 + below(1_000));
  const deeds: (() => Promise<unknown>)[] = [
    () => chain.node.mine({ blocks: 1 + below(4) }),
    () => payer.send({ to: anybody(), value: units(), data: '0xc0ffee' }),
    () => payer.transfer(anybody(), units(), { suffix: '0xc0ffee' }),
    () => payer.transfer(anybody(), units(), { token: lookAlike }),
    () => payer.transfer(anybody(), 0n),
    () => payer.transfer(anybody(), 10n ** 40n),
    () => payer.send({ to: TEST_TOKEN_ADDRESS, value: 1n }),
    () =>
      payer.send({
        data: callerOf([
          { to: lookAlike, data: transferCall(anybody(), 0n) },
          { to: TEST_TOKEN_ADDRESS, data: `0x40c10f19${transferCall(anybody(), units()).slice(10)}` },
          { to: TEST_TOKEN_ADDRESS, data: `0x40c10f19${transferCall(anybody(), units()).slice(10)}` },
        ]),
      }),
  ];
  for (let step = 0; step < steps; step += 1) await deeds[below(deeds.length)]?.();
  await chain.node.mine({ blocks: 80 });
}

describe('what is final, read by ranges', () => {
  const ROUNDS = FULL ? 10 : 1;
  // An asset that was once taken stays one, so the chains without the native coin come first.
  const cases = [false, true].flatMap((native) =>
    Array.from({ length: ROUNDS }, (_, seed): [number, boolean] => [seed + 1, native]),
  );

  it.each(cases)('is the same as read block by block (seed %i, native coin %s)', async (seed, native) => {
    const registered = [await begin(byRanges, native), await begin(byBlocks, native)] as const;
    await mineAtRandom(seed, 120);
    const reader = readerBehindDoor();
    await followChain(byRanges.worker, registered[0], reader);
    expect(asked).toContain('eth_getLogs');
    await followChain(byBlocks.worker, registered[1], withoutRanges());
    const truth = await everything(byBlocks, registered[1]);
    expect(await everything(byRanges, registered[0])).toEqual(truth);
    const kinds = await byBlocks.sql<{ count: number }>(
      'select count(*)::int from chain_transfers group by asset_id, ordinal < 0, ordinal > 0',
    );
    expect(kinds.length).toBeGreaterThanOrEqual(native ? 3 : 2);
  });

  it.each<[string, string, unknown]>([
    ['leaves out logs that its blocks’ blooms speak of', 'eth_getLogs', []],
    ['has lost its receipts', 'eth_getTransactionReceipt', null],
    ['answers with other logs', 'eth_getLogs', [{ blockHash: `0x${'11'.repeat(32)}`, topics: [], data: '0x' }]],
  ])('is whole from a node that %s', async (_, method, lie) => {
    const registered = [await begin(byRanges, true), await begin(byBlocks, true)] as const;
    await mineAtRandom(7, 60);
    const reader = readerBehindDoor();
    let lies = 0;
    door.rewrite = (call, result) => {
      if (call.method !== method) return result;
      lies += 1;
      return lie;
    };
    await followChain(byRanges.worker, registered[0], reader);
    expect(lies).toBeGreaterThan(0);
    await followChain(byBlocks.worker, registered[1], withoutRanges());
    expect(await everything(byRanges, registered[0])).toEqual(await everything(byBlocks, registered[1]));
  });

  it('is whole from a node that cuts its answer in the middle of a block', async () => {
    const registered = [await begin(byRanges, false), await begin(byBlocks, false)] as const;
    await payer.transfer(PAYEES[0] ?? '', 5n);
    await chain.node.setAutomine(false);
    for (const [index, payee] of PAYEES.entries()) {
      const data = transferCall(payee, BigInt(index + 1));
      await sendFrom(chain, payer.account, { to: TEST_TOKEN_ADDRESS, data }, false);
    }
    await chain.node.mine({ blocks: 150 });
    await chain.node.setAutomine(true);
    const reader = readerBehindDoor();
    let cut = 0;
    door.rewrite = ({ method }, result) => {
      if (method !== 'eth_getLogs') return result;
      const logs = result as unknown[];
      cut += logs.length;
      return logs.slice(0, -1);
    };
    await followChain(byRanges.worker, registered[0], reader);
    expect(cut).toBe(4);
    await followChain(byBlocks.worker, registered[1], withoutRanges());
    expect(await everything(byRanges, registered[0])).toEqual(await everything(byBlocks, registered[1]));
  });

  it('is read block by block from a node that refuses ranges', async () => {
    const registered = [await begin(byRanges, true), await begin(byBlocks, true)] as const;
    await mineAtRandom(8, 60);
    const reader = readerBehindDoor();
    door.intercept = ({ method }, response) => {
      if (method !== 'eth_getLogs') return false;
      response.writeHead(403).end('too many results');
      return true;
    };
    await followChain(byRanges.worker, registered[0], reader);
    await followChain(byBlocks.worker, registered[1], withoutRanges());
    expect(await everything(byRanges, registered[0])).toEqual(await everything(byBlocks, registered[1]));
  });

  it('is read again where an account has come to be watched meanwhile', async () => {
    const [late = ''] = STRANGERS;
    const registered = await begin(byRanges, true);
    await payer.transfer(late, 77n);
    await chain.node.mine({ blocks: 150 });
    const reader = readerBehindDoor();
    const range: ChainReader['range'] = async (wanted) => {
      const found = await reader.range(wanted);
      await byRanges.sql('insert into watched_accounts (address) values ($1) on conflict do nothing', late);
      return found;
    };
    await followChain(byRanges.worker, registered, { ...reader, range });
    const found = await byRanges.sql(
      'select units::text from chain_transfers where recipient = $1 and units = 77',
      late,
    );
    expect(found).toEqual([{ units: '77' }]);
  });
});
