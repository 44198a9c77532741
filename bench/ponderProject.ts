import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The newest Ponder that runs on the oldest Node that we do; 0.17 asks for Node 22. */
export const PONDER_VERSION = '0.16.10';

const PACKAGE = {
  private: true,
  type: 'module',
  dependencies: { hono: '4.9.9', ponder: PONDER_VERSION, viem: '2.57.1' },
};

/** An indexer of the transfers to one account, of a token and of the native coin, with what Tollhouse keeps of each. */
const FILES: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify(PACKAGE),
  'ponder.config.ts': `
    import { createConfig } from 'ponder';
    const { BENCH_PAYEE: payee, BENCH_TOKEN: address, BENCH_RPC: rpc, BENCH_END, DATABASE_URL } = process.env;
    const inputs = [
      { name: 'from', type: 'address', indexed: true },
      { name: 'to', type: 'address', indexed: true },
      { name: 'value', type: 'uint256' },
    ];
    const abi = [{ type: 'event', name: 'Transfer', inputs }];
    const range = { chain: 'local', startBlock: 1, endBlock: Number(BENCH_END) };
    export default createConfig({
      database: { kind: 'postgres', connectionString: DATABASE_URL },
      chains: { local: { id: 31337, rpc } },
      contracts: { Token: { ...range, abi, address, filter: { event: 'Transfer', args: { to: payee } } } },
      accounts: { Payee: { ...range, address: payee, includeTransactionReceipts: true } },
    });`,
  'ponder.schema.ts': `
    import { onchainTable } from 'ponder';
    export const transfers = onchainTable('transfers', (t) => ({
      id: t.text().primaryKey(), hash: t.hex().notNull(), token: t.hex(), sender: t.hex().notNull(),
      recipient: t.hex().notNull(), units: t.bigint().notNull(), input: t.hex().notNull(),
      blockNumber: t.bigint().notNull(), blockHash: t.hex().notNull(), blockTime: t.bigint().notNull(),
    }));`,
  'src/index.ts': `
    import { ponder } from 'ponder:registry';
    import { transfers } from 'ponder:schema';
    const common = ({ id, block, transaction }) => ({
      id, hash: transaction.hash, input: transaction.input, blockNumber: block.number, blockHash: block.hash,
      blockTime: block.timestamp,
    });
    ponder.on('Token:Transfer', async ({ event, context }) => {
      const { from: sender, to: recipient, value: units } = event.args;
      await context.db
        .insert(transfers)
        .values({ ...common(event), token: event.log.address, sender, recipient, units });
    });
    ponder.on('Payee:transaction:to', async ({ event, context }) => {
      const { from: sender, to: recipient, value: units } = event.transaction;
      if (units === 0n || event.transactionReceipt.status !== 'success') return;
      await context.db.insert(transfers).values({ ...common(event), token: null, sender, recipient, units });
    });`,
  'src/api/index.ts': `
    import { Hono } from 'hono';
    export default new Hono();`,
};

/** The part of Ponder that limits its requests, which no setting reaches. */
const LIMITER = 'node_modules/ponder/dist/esm/rpc/index.js';
const LIMITS = [
  ['const INITIAL_MAX_RPS = 20;', 'const INITIAL_MAX_RPS = 1_000_000;'],
  ['const MAX_RPS = 500;', 'const MAX_RPS = 1_000_000;'],
] as const;

/** A folder of the bench's own with Ponder installed. */
export interface PonderProject {
  readonly folder: string;
  /** Has it send requests as fast as they are answered, or as it is published: 20 a second at first. */
  setLimiter(on: boolean): void;
  remove(): void;
}

/** Makes a folder, installs Ponder in it without running any script of a package, and writes the indexer. */
export function makePonderProject(): PonderProject {
  const folder = mkdtempSync(join(tmpdir(), 'tollhouse-ponder-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const limiter = join(folder, LIMITER);
  const published = readFileSync(limiter, 'utf8');
  const lifted = LIMITS.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`Ponder ${PONDER_VERSION} has no line "${from}" any more.`);
    return text.replace(from, to);
  }, published);
  return {
    folder,
    setLimiter: (on) => writeFileSync(limiter, on ? published : lifted),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
