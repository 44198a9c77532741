import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { startEphemeralAnvil } from '../src/chain/providers/anvil.ts';
import { deployTestToken, TEST_TOKEN_ADDRESS } from '../src/chain/providers/testToken.ts';
import { withSession } from '../src/database/session.ts';
import type { ChainSetting } from '../src/environment.ts';
import { type BenchDatabase, openBenchDatabase } from './database.ts';
import { describeMachine, loadNow } from './machine.ts';
import { forgetPayments, ORDERS, PAYEE, payOrders, writeOrders } from './paidOrders.ts';
import { makePonderProject, type PonderProject } from './ponderProject.ts';
import { PONDERS, takePonderTurn } from './ponderTurn.ts';
import { type Child, CORES, pin, startChild } from './processes.ts';
import { timeOf, timeOfFamily } from './processorTime.ts';
import { writeSection } from './section.ts';
import { median } from './summary.ts';

// Credits a second: a worker that begins finds 500 orders of one payee, each paid once in blocks that nobody has read,
// beside Ponder indexing the same transfers from the same anvil into the same PostgreSQL, in turns. `--alone` leaves
// Ponder out; so, and with `--no-write`, RESULTS.md stays as it is.

const ROUNDS = 5;
const POLL_MS = 20;
const BEGIN = '<!-- crediting: written by npm run bench:credits -->';
const END = '<!-- end of crediting -->';
const PLACES = 'the system under test on core 0, PostgreSQL on core 1, anvil where there is room';

const alone = process.argv.includes('--alone');

/** The transfers that one system has recorded: how many, of how many units, and a digest of their hashes and blocks. */
interface Recorded {
  readonly transfers: number;
  readonly units: string;
  readonly digest: string;
}

/** What Tollhouse did in one round. */
interface Settled {
  /** Until each order was credited, and told as paid. */
  readonly creditedMs: number;
  /** Until each was told as final too. */
  readonly finalMs: number;
  readonly nodeMs: number;
  readonly postgresMs: number;
  readonly statements: number;
  readonly roundTrips: number;
}

interface Stage {
  readonly admin: pg.Client;
  readonly database: BenchDatabase;
  readonly settler: Child;
  readonly rpcUrl: string;
}

/** The worker from its start on, reading of the blocks included, until every order is final. */
async function takeTollhouse({ admin, database, settler }: Stage): Promise<Settled> {
  await forgetPayments(admin);
  const times = (): { node: number; postgres: number } => ({
    node: timeOf(settler.pid),
    postgres: timeOfFamily(database.postmaster),
  });
  const count = async (statuses: string): Promise<number> => {
    const { rows } = await admin.query<{ count: number }>(
      `select count(*)::int as count from payment_orders where pay_to = $1 and status in (${statuses})`,
      [PAYEE],
    );
    return rows[0]?.count ?? 0;
  };
  const until = async (statuses: string): Promise<number> => {
    while ((await count(statuses)) < ORDERS) await sleep(POLL_MS);
    return performance.now() - began;
  };
  const before = times();
  const began = performance.now();
  await settler.ask({ verb: 'start' });
  const creditedMs = await until(`'PAID', 'FINAL'`);
  const finalMs = await until(`'FINAL'`);
  const after = times();
  const { statements, roundTrips } = await settler.ask<{ statements: number; roundTrips: number }>({ verb: 'stop' });
  return {
    creditedMs,
    finalMs,
    nodeMs: (after.node - before.node) * 1_000,
    postgresMs: (after.postgres - before.postgres) * 1_000,
    statements,
    roundTrips,
  };
}

async function readRecorded(admin: pg.Client, schema: string | null): Promise<string> {
  const source = schema
    ? `select units, hash, block_number from ${schema}.transfers`
    : `select c.units, b.hash, b.block_number
       from payment_credits c
       join payment_orders o on o.organization_id = c.organization_id and o.id = c.payment_order_id
       join blockchain_transactions b
         on b.organization_id = c.organization_id and b.id = c.blockchain_transaction_id
       where o.pay_to = '${PAYEE}' and c.reversed_at is null`;
  const { rows } = await admin.query<Recorded>(
    `select count(*)::int as transfers, sum(units)::text as units,
       md5(string_agg(hash || block_number, ',' order by hash, block_number)) as digest from (${source}) t`,
  );
  return JSON.stringify(rows[0]);
}

type PonderName = keyof typeof PONDERS;
const PONDER_NAMES = Object.keys(PONDERS) as readonly PonderName[];

interface Figures {
  readonly settled: Settled[];
  /** Milliseconds by round. */
  readonly ponder: Record<PonderName, number[]>;
}

async function measure(stage: Stage, project: PonderProject | null, end: number): Promise<Figures> {
  const { admin, database, rpcUrl } = stage;
  const figures: Figures = { settled: [], ponder: { ponder: [], ponderAsPublished: [] } };
  const recorded = new Set<string>();
  // the first round warms up
  for (let round = 0; round <= ROUNDS; round += 1) {
    const settled = await takeTollhouse(stage);
    recorded.add(await readRecorded(admin, null));
    if (round === 0) continue;
    figures.settled.push(settled);
    console.log(
      `round ${round} of ${ROUNDS}: credited ${settled.creditedMs.toFixed(0)} ms, final ${settled.finalMs.toFixed(0)} ms`,
    );
    for (const name of project ? PONDER_NAMES : []) {
      project?.setLimiter(name === 'ponderAsPublished');
      const schema = `${name.toLowerCase()}_${round}`;
      const task = { adminUrl: database.adminUrl, rpcUrl, payee: PAYEE, end, schema };
      const ms = project ? await takePonderTurn(project, task) : 0;
      recorded.add(await readRecorded(admin, schema));
      figures.ponder[name].push(ms);
      console.log(`round ${round} of ${ROUNDS}: ${name} ${ms.toFixed(0)} ms`);
    }
  }
  if (recorded.size !== 1) throw new Error(`They did not record the same transfers: ${[...recorded].join(' ')}`);
  return figures;
}

function describe(machine: readonly string[], { settled, ponder }: Figures): string {
  const spread = (numbers: readonly number[], digits = 0): string =>
    `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;
  const each = (read: (one: Settled) => number): number[] => settled.map((one) => read(one) / ORDERS);
  const credited = settled.map(({ creditedMs }) => (ORDERS * 1_000) / creditedMs);
  const final = settled.map(({ finalMs }) => (ORDERS * 1_000) / finalMs);
  const row = (name: PonderName): string => {
    const times = ponder[name];
    const ratio = settled.map(({ creditedMs }, round) => (times[round] ?? Number.NaN) / creditedMs);
    return `| ${PONDERS[name]} | ${spread(times.map((ms) => (ORDERS * 1_000) / ms))} | ${spread(ratio, 1)} |`;
  };
  return [
    BEGIN,
    '## Crediting',
    `\`npm run bench:credits\`: a worker begins and finds ${ORDERS} orders of one payee, each paid once by one of 100 wallets in blocks that nobody has read; ${ROUNDS} rounds, in turns, median (lowest to highest). Its time is from its start until every order is told as paid, the reading of the chain included. Ponder writes a row for each of the same transfers; its time is from its first answer on \`/health\` to \`/ready\`. Both recorded the same transfers, by hash and block.`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    [
      '| | credits, or transfers, a second | Tollhouse’s to its own |',
      '| --- | --- | --- |',
      `| Tollhouse, each told as paid | ${spread(credited)} | |`,
      `| Tollhouse, each told as final too | ${spread(final)} | |`,
      ...(ponder.ponder.length > 0 ? PONDER_NAMES.map(row) : []),
    ].join('\n'),
    `A credit that is told as paid and then as final takes ${spread(
      each(({ nodeMs }) => nodeMs),
      1,
    )} ms of Node’s processor time and ${spread(
      each(({ postgresMs }) => postgresMs),
      1,
    )} of PostgreSQL’s, ${spread(
      each(({ statements }) => statements),
      1,
    )} statements in ${spread(
      each(({ roundTrips }) => roundTrips),
      1,
    )} round trips, with everything else that the worker does meanwhile.`,
    END,
  ].join('\n\n');
}

type Keep = <Part extends { stop(): Promise<unknown> }>(starting: Promise<Part>) => Promise<Part>;

async function run(keep: Keep): Promise<string> {
  const before = loadNow();
  const anvil = await keep(startEphemeralAnvil());
  await deployTestToken({ rpcUrl: anvil.url });
  const database = await keep(openBenchDatabase({ organizations: 2, users: 2, links: 1, orders: 0 }));
  pin(database.postmaster, CORES.rest);
  const setting: ChainSetting = {
    chainId: 31_337,
    name: 'Local chain',
    testnet: true,
    rpcUrl: anvil.url,
    publicRpcUrl: anvil.url,
    finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
    minesOnDemand: true,
    assets: [{ address: TEST_TOKEN_ADDRESS, symbol: 'TUSD', name: 'Toll Test Dollar', decimals: 6 }],
  };
  const env = { BENCH_SYSTEM: JSON.stringify({ databaseUrl: database.gatewayUrl, setting }) };
  const settler = await keep(startChild(new URL('systems/settler.ts', import.meta.url), { core: CORES.system, env }));
  const project = alone ? null : makePonderProject();
  if (project) await keep(Promise.resolve({ stop: async () => project.remove() }));
  const end = await payOrders(anvil.url);
  console.log(`${end} blocks`);
  return withSession(database.adminUrl, async (admin) => {
    await writeOrders(admin);
    const figures = await measure({ admin, database, settler, rpcUrl: anvil.url }, project, end);
    const machine = describeMachine({ postgres: database.version, addedRoundTripMs: null, before });
    return describe(
      machine.map((fact) => (fact.startsWith('the system under test') ? PLACES : fact)),
      figures,
    );
  });
}

const running: { stop(): Promise<unknown> }[] = [];
try {
  const section = await run(async (starting) => {
    const part = await starting;
    running.push(part);
    return part;
  });
  console.log(`\n${section}`);
  const writes = !alone && !process.argv.includes('--no-write');
  if (writes) await writeSection(section, { begin: BEGIN, end: END });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const part of running.reverse()) await part.stop();
}
