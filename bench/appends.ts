import { poolOptions } from '../src/database/pool.ts';
import { type Database, openDatabase } from '../src/database/scope.ts';
import { withSession } from '../src/database/session.ts';
import { readEnvironment } from '../src/environment.ts';
import { appendEvent, type NewEvent } from '../src/events/commands/appendEvent.ts';
import { appendEventIf } from '../src/events/commands/appendEventIf.ts';
import { LOG_START } from '../src/events/model.ts';
import { newId } from '../src/kernel/ids.ts';
import { openBenchDatabase } from './database.ts';
import { describeMachine, loadNow } from './machine.ts';
import { CORES, pin } from './processes.ts';
import { writeSection } from './section.ts';
import { median } from './summary.ts';

// Facts a second: plain ones and such with a condition, of one writer and of many, in one organization and in many; and
// what hinting open streams at them costs. `--no-write` leaves RESULTS.md as it is.

const ROUNDS = 5;
const MS = 1_500;
const WRITERS = [1, 8, 32] as const;
const ORGANIZATIONS = 32;
const REQUEST = { requestId: 'bench' };

const BEGIN = '<!-- appending: written by npm run bench:appends -->';
const END = '<!-- end of appending -->';

interface Way {
  readonly name: string;
  /** Whether each writer has an organization of its own. */
  readonly apart: boolean;
  readonly conditional: boolean;
  readonly hints: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'plain, one organization', apart: false, conditional: false, hints: true },
  { name: 'plain, one organization, streams not hinted at', apart: false, conditional: false, hints: false },
  { name: 'plain, an organization a writer', apart: true, conditional: false, hints: true },
  { name: 'under a condition, one organization', apart: false, conditional: true, hints: true },
  { name: 'under a condition, an organization a writer', apart: true, conditional: true, hints: true },
];

function factOf(organizationId: string): NewEvent {
  const id = newId();
  return {
    type: 'payment-order.detected',
    organizationId,
    aggregate: { type: 'payment-order', id, version: 1 },
    actor: 'worker',
    tags: [`payment-order:${id}`],
    data: { from: 'CREATED', to: 'DETECTED', creditedUnits: '1' },
  };
}

/** Appends one fact as a deed of its own: one packet, one transaction. */
async function append(database: Database, organizationId: string, { conditional }: Way): Promise<void> {
  const fact = factOf(organizationId);
  await database
    .as({ kind: 'worker', ...REQUEST, organizationId })
    .write((tx) => [
      conditional
        ? appendEventIf(REQUEST, tx, fact, { none: [{ tags: fact.tags }], after: LOG_START })
        : appendEvent(REQUEST, tx, fact),
    ]);
}

/** So many writers for a while; how many facts there were a second. */
async function take(
  database: Database,
  organizations: readonly string[],
  { way, writers }: { readonly way: Way; readonly writers: number },
): Promise<number> {
  const began = performance.now();
  const write = async (writer: number): Promise<number> => {
    const organizationId = organizations[way.apart ? writer % organizations.length : 0] ?? '';
    let written = 0;
    for (; performance.now() - began < MS; written += 1) await append(database, organizationId, way);
    return written;
  };
  const counts = await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return (counts.reduce((sum, count) => sum + count, 0) * 1_000) / (performance.now() - began);
}

async function run(): Promise<string> {
  const before = loadNow();
  const place = await openBenchDatabase({ organizations: ORGANIZATIONS, users: 2, links: 1, orders: 1 });
  pin(place.postmaster, CORES.rest);
  pin(process.pid, CORES.system);
  const environment = readEnvironment({ NODE_ENV: 'test', DATABASE_POOL_MAX: String(Math.max(...WRITERS)) });
  const database = openDatabase(poolOptions(environment, place.gatewayUrl));
  try {
    const admin = (text: string) => withSession(place.adminUrl, async (client) => (await client.query(text)).rows);
    const organizations = (await admin('select id from organizations order by id')).map(({ id }) => String(id));
    const figures = new Map<string, number[]>();
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const way of WAYS) {
        await admin(`alter table events ${way.hints ? 'enable' : 'disable'} trigger events_tell_streams`);
        for (const writers of WRITERS) {
          const perSecond = await take(database, organizations, { way, writers });
          // the first round warms up
          const key = `${way.name} ${writers}`;
          if (round > 0) figures.set(key, [...(figures.get(key) ?? []), perSecond]);
        }
      }
      console.log(round === 0 ? 'warm' : `round ${round} of ${ROUNDS}`);
    }
    return describe(describeMachine({ postgres: place.version, addedRoundTripMs: null, before }), figures);
  } finally {
    await database.close();
    await place.stop();
  }
}

function describe(machine: readonly string[], figures: ReadonlyMap<string, readonly number[]>): string {
  const cell = (way: Way, writers: number): string => {
    const all = figures.get(`${way.name} ${writers}`) ?? [];
    return `${median(all).toFixed(0)} (${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)})`;
  };
  return [
    BEGIN,
    '## Appending to the log',
    `\`npm run bench:appends\`: facts a second, each a transaction of its own in one round trip, through the gateway’s own pool; ${ROUNDS} rounds of ${MS / 1_000} s each, in turns, median (lowest to highest). What waiting for a disk costs is not seen: \`fsync\` and \`synchronous_commit\` are off, and where they are on, commits that notify wait for each other.`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    [
      `| | ${WRITERS.map((writers) => (writers === 1 ? '1 writer' : `${writers} writers`)).join(' | ')} |`,
      `| --- |${' --- |'.repeat(WRITERS.length)}`,
      ...WAYS.map((way) => `| ${way.name} | ${WRITERS.map((writers) => cell(way, writers)).join(' | ')} |`),
    ].join('\n'),
    END,
  ].join('\n\n');
}

try {
  const section = await run();
  console.log(`\n${section}`);
  if (!process.argv.includes('--no-write')) await writeSection(section, { begin: BEGIN, end: END });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
