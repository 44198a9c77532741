import {
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  parseAbi,
  publicActions,
} from 'viem';
import { anvil as anvilChain } from 'viem/chains';
import { startEphemeralAnvil } from '../src/chain/providers/anvil.ts';
import { devAccount } from '../src/chain/providers/devAccounts.ts';
import { deployTestToken, TEST_TOKEN_ADDRESS } from '../src/chain/providers/testToken.ts';
import { withSession } from '../src/database/session.ts';
import type { ChainSetting } from '../src/environment.ts';
import { type BenchDatabase, openBenchDatabase } from './database.ts';
import { describeMachine, loadNow } from './machine.ts';
import { makePonderProject } from './ponderProject.ts';
import { PONDERS, takePonderTurn } from './ponderTurn.ts';
import { type Child, CORES, pin, startChild } from './processes.ts';
import { writeSection } from './section.ts';
import { median } from './summary.ts';

// Blocks a second of catching up, and transfers recorded a second, beside Ponder indexing the same transfers from the same
// anvil into the same PostgreSQL, in turns. `--no-write` leaves RESULTS.md as it is.

const ROUNDS = 3;
const BLOCKS = 2_000;
/** Of each ten blocks so many pay the account: one in the token, and every other time one in the native coin. */
const EVERY = 5;
/** What anvil does not call final, with what the watcher keeps below it: Ponder leaves it out, Tollhouse reads it too. */
const UNSETTLED = 80;

const PAYEE: Hex = `0x${'aa'.repeat(20)}`;
const BEGIN = '<!-- catching up: written by npm run bench:catch-up -->';
const END = '<!-- end of catching up -->';

const SYSTEMS = ['tollhouse', 'ponder', 'ponderAsPublished'] as const;
type SystemName = (typeof SYSTEMS)[number];

const NAMES: Readonly<Record<SystemName, string>> = {
  tollhouse: 'Tollhouse',
  ...PONDERS,
};

const PLACES = 'the system under test on core 0, PostgreSQL on core 1, anvil where there is room';

/** What one system did once. */
interface Taken {
  readonly blocks: number;
  readonly ms: number;
  /** What it recorded: how many transfers, of how many units, and a digest of their hashes and blocks. */
  readonly recorded: { readonly transfers: number; readonly units: string; readonly digest: string };
}

async function mineChain(url: string): Promise<number> {
  const node = createTestClient({ mode: 'anvil', chain: anvilChain, transport: http(url) }).extend(publicActions);
  const wallet = createWalletClient({ account: devAccount(5).account, chain: anvilChain, transport: http(url) });
  const data = encodeFunctionData({ abi: parseAbi(['function mint(address, uint256)']), args: [PAYEE, 7n] });
  let head = Number(await node.getBlockNumber({ cacheTime: 0 }));
  for (let turn = 0; head < BLOCKS; turn += 1) {
    await wallet.sendTransaction({ to: TEST_TOKEN_ADDRESS, data });
    if (turn % 2 === 0) await wallet.sendTransaction({ to: PAYEE, value: 3n });
    await node.mine({ blocks: EVERY - 1 });
    head = Number(await node.getBlockNumber({ cacheTime: 0 }));
  }
  await node.mine({ blocks: UNSETTLED });
  return head;
}

/** Lets the watcher begin anew behind genesis. */
async function forget(database: BenchDatabase): Promise<void> {
  await withSession(database.adminUrl, async (client) => {
    await client.query('delete from chain_transfers');
    await client.query('delete from chain_blocks where number > 0');
    await client.query(
      `insert into chain_blocks (incarnation_id, number, hash, parent_hash)
       select id, 0, genesis_hash, genesis_hash from chain_incarnations
       where chain_id = 31337 and current
       on conflict do nothing`,
    );
    await client.query(
      `update chain_incarnations set head_number = 0, safe_number = 0, finalized_number = 0 where chain_id = 31337`,
    );
  });
}

const recordedBy = (schema: string | null): string => {
  const source = schema
    ? `select units, hash, block_number from ${schema}.transfers`
    : `select units, transaction_hash as hash, block_number from chain_transfers`;
  return `select count(*)::int as transfers, sum(units)::text as units,
    md5(string_agg(hash || block_number, ',' order by hash, block_number)) as digest from (${source}) t`;
};

async function readRecorded(adminUrl: string, schema: string | null): Promise<Taken['recorded']> {
  return withSession(adminUrl, async (client) => (await client.query(recordedBy(schema))).rows[0]);
}

async function takeTollhouse(watcher: Child, database: BenchDatabase): Promise<Taken> {
  await forget(database);
  const { ms } = await watcher.ask<{ ms: number }>({});
  return { blocks: BLOCKS + UNSETTLED, ms, recorded: await readRecorded(database.adminUrl, null) };
}

type Keep = <Part extends { stop(): Promise<unknown> }>(starting: Promise<Part>) => Promise<Part>;

async function run(keep: Keep): Promise<string> {
  const before = loadNow();
  const anvil = await keep(startEphemeralAnvil());
  await deployTestToken({ rpcUrl: anvil.url });
  const database = await keep(openBenchDatabase({ organizations: 2, users: 2, links: 1, orders: 1 }));
  pin(database.postmaster, CORES.rest);
  await withSession(database.adminUrl, (client) =>
    client.query('insert into watched_accounts (address) values ($1)', [PAYEE]),
  );
  const setting: ChainSetting = {
    chainId: 31_337,
    name: 'Local chain',
    testnet: true,
    rpcUrl: anvil.url,
    publicRpcUrl: anvil.url,
    finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
    assets: [
      { symbol: 'ETH', name: 'Ether', decimals: 18 },
      { address: TEST_TOKEN_ADDRESS, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 },
    ],
  };
  const env = { BENCH_SYSTEM: JSON.stringify({ databaseUrl: database.gatewayUrl, setting }) };
  const watcher = await keep(startChild(new URL('systems/watcher.ts', import.meta.url), { core: CORES.system, env }));
  console.log('Installing Ponder …');
  const project = makePonderProject();
  await keep(Promise.resolve({ stop: async () => project.remove() }));
  const end = await mineChain(anvil.url);
  console.log(`${end} blocks`);
  const figures = new Map<SystemName, Taken[]>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const name of SYSTEMS) {
      project.setLimiter(name === 'ponderAsPublished');
      const schema = `${name.toLowerCase()}_${round}`;
      const task = { adminUrl: database.adminUrl, rpcUrl: anvil.url, payee: PAYEE, end, schema };
      const taken = await (name === 'tollhouse'
        ? takeTollhouse(watcher, database)
        : takePonderTurn(project, task).then(async (ms) => {
            return { blocks: end, ms, recorded: await readRecorded(database.adminUrl, schema) };
          }));
      figures.set(name, [...(figures.get(name) ?? []), taken]);
      console.log(
        `round ${round} of ${ROUNDS}: ${name} ${taken.ms.toFixed(0)} ms, ${taken.recorded.transfers} transfers`,
      );
    }
  }
  const all = [...figures.values()].flat().map(({ recorded }) => JSON.stringify(recorded));
  if (new Set(all).size !== 1)
    throw new Error(`They did not record the same transfers: ${[...new Set(all)].join(' ')}`);
  const machine = describeMachine({ postgres: database.version, addedRoundTripMs: null, before });
  return describe(
    machine.map((fact) => (fact.startsWith('the system under test') ? PLACES : fact)),
    figures,
  );
}

function describe(machine: readonly string[], figures: ReadonlyMap<SystemName, readonly Taken[]>): string {
  const own = figures.get('tollhouse') ?? [];
  const spread = (rates: readonly number[], digits = 0): string =>
    `${median(rates).toFixed(digits)} (${Math.min(...rates).toFixed(digits)} to ${Math.max(...rates).toFixed(digits)})`;
  const row = (name: SystemName): string => {
    const taken = figures.get(name) ?? [];
    const blocks = taken.map((one) => (one.blocks * 1_000) / one.ms);
    const transfers = taken.map((one) => (one.recorded.transfers * 1_000) / one.ms);
    const ratio = own.map(
      (one, round) => (one.blocks / one.ms) * ((taken[round]?.ms ?? 0) / (taken[round]?.blocks ?? 1)),
    );
    return `| ${NAMES[name]} | ${spread(blocks)} | ${spread(transfers)} | ${name === 'tollhouse' ? '' : spread(ratio, 1)} |`;
  };
  return [
    BEGIN,
    '## Catching up',
    `\`npm run bench:catch-up\`: an anvil of ${BLOCKS} blocks with ${own[0]?.recorded.transfers} transfers to one account, in a token and in the native coin, read from its beginning into one PostgreSQL; ${ROUNDS} rounds, in turns, median (lowest to highest). Both recorded the same transfers, by hash and block. Tollhouse read ${UNSETTLED} more blocks, those that are not final, one by one. Ponder’s time is from its first answer on \`/health\` to \`/ready\`, without its start of some seconds, and with an empty cache each time.`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    [
      '| | blocks a second | transfers a second | Tollhouse’s blocks a second to its own |',
      '| --- | --- | --- | --- |',
      ...SYSTEMS.map(row),
    ].join('\n'),
    END,
  ].join('\n\n');
}

const running: { stop(): Promise<unknown> }[] = [];
try {
  const section = await run(async (starting) => {
    const part = await starting;
    running.push(part);
    return part;
  });
  console.log(`\n${section}`);
  if (!process.argv.includes('--no-write')) await writeSection(section, { begin: BEGIN, end: END });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const part of running.reverse()) await part.stop();
}
