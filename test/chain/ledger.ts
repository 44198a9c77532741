import pg from 'pg';
import pino from 'pino';
import { expect } from 'vitest';
import { type RegisteredChain, registerChain } from '../../src/chain/commands/registerChain.ts';
import type { WorkerContext } from '../../src/context.ts';
import { poolOptions } from '../../src/database/pool.ts';
import { openDatabase } from '../../src/database/scope.ts';
import { type ChainSetting, readEnvironment } from '../../src/environment.ts';
import type { ChainReader } from '../../src/ports.ts';
import { freshDatabase } from '../support/database.ts';
import type { ScriptedChain } from './scriptedChain.ts';

/** The database that a watcher writes to, and nothing else of a gateway. */
export interface Ledger {
  readonly worker: WorkerContext;
  /** The rows of one statement, as a superuser. */
  sql<Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]>;
  /** Registers the chain of this reader, with the settings below. */
  register(reader: ChainReader): Promise<RegisteredChain>;
  close(): Promise<void>;
}

export const TOKEN = `0x${'70'.repeat(20)}`;

export const SETTING: ChainSetting = {
  chainId: 31_337,
  name: 'Local chain',
  testnet: true,
  rpcUrl: 'http://127.0.0.1:1',
  publicRpcUrl: 'http://127.0.0.1:1',
  finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
  assets: [
    { symbol: 'ETH', name: 'Ether', decimals: 18 },
    { address: TOKEN, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 },
  ],
};

export async function openLedger(): Promise<Ledger> {
  const database = await freshDatabase();
  const opened = openDatabase(poolOptions(readEnvironment({ NODE_ENV: 'test' }), database.gatewayUrl));
  const worker = { database: opened, log: pino({ level: 'silent' }), requestId: 'test-worker' };
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  return {
    worker,
    sql: async (text, ...values) => (await admin.query(text, values)).rows as never,
    register: (reader) => registerChain(worker, { setting: SETTING, reader }),
    close: async () => {
      await admin.end();
      await opened.close();
      await database.drop();
    },
  };
}

/** What the ledger keeps of a chain. */
export interface Kept {
  readonly head: number | null;
  readonly finalized: number | null;
  readonly safe: number | null;
  readonly haltReason: string | null;
  readonly caughtUp: Date | null;
  /** Numbers of the blocks that are kept. */
  readonly blocks: readonly number[];
  readonly hashes: readonly string[];
}

export async function keptOf({ sql }: Ledger, { incarnationId }: RegisteredChain): Promise<Kept> {
  const [state] = await sql<Kept>(
    `select head_number::int as head, finalized_number::int as finalized,
       safe_number::int as safe, halt_reason as "haltReason",
       caught_up_at as "caughtUp",
       array(select number::int from chain_blocks where incarnation_id = i.id order by number) as blocks,
       array(select hash from chain_blocks where incarnation_id = i.id order by number) as hashes
     from chain_incarnations i where id = $1`,
    incarnationId,
  );
  if (!state) throw new Error('The chain is not there.');
  return state;
}

/** A transfer as the ledger has it. */
export interface Transfer {
  readonly hash: string;
  readonly ordinal: number;
  readonly block: number;
  readonly blockHash: string;
  readonly orphaned: boolean;
  readonly judged: boolean;
}

export function transfersOf({ sql }: Ledger, { incarnationId }: RegisteredChain): Promise<Transfer[]> {
  return sql<Transfer>(
    `select transaction_hash as hash, ordinal, block_number::int as block, block_hash as "blockHash", orphaned,
       judged_at is not null as judged
     from chain_transfers where incarnation_id = $1 order by block_number, transaction_hash, ordinal`,
    incarnationId,
  );
}

/** The whole numbers from the first to the last. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** What is kept must be the node's chain, without a gap. */
export async function expectTruthOf(ledger: Ledger, chain: RegisteredChain, node: ScriptedChain): Promise<void> {
  const { head, blocks, hashes } = await keptOf(ledger, chain);
  expect(blocks).toEqual(range(blocks[0] ?? 0, head ?? 0));
  expect(hashes).toEqual(blocks.map((number) => node.blocks[number]?.block.hash));
}
