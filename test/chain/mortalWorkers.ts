import { once } from 'node:events';
import pg from 'pg';
import { type Program, run } from '../journeys/gateways.ts';
import { leftovers, makeRoot, until } from '../local/children.ts';
import type { Market } from '../payments/market.ts';
import { type Door, openDoor, type RpcCall } from './door.ts';

/** A worker that is a process of its own, with a door of its own in front of the chain's node. */
export interface MortalWorker extends Program {
  readonly door: Door;
}

/** Workers of a market that a test kills. */
export interface MortalWorkers {
  /** Begins one, and waits until it waits for its turn to lead, or leads. */
  begin(): Promise<MortalWorker>;
  /** Has the next call like this stay without an answer, whoever asks; resolves with who has asked. */
  hold(isIt: (call: RpcCall) => boolean): Promise<MortalWorker>;
  /** Lets the node answer every call again. */
  letThrough(): void;
  /** How many are there, of which all but one wait for their turn. */
  ready(): number;
  /** The one that has asked the node last. */
  leader(): MortalWorker;
  /** Kills it as nothing survives, and waits until it has ended. */
  kill(worker: MortalWorker): Promise<void>;
}

/** Makes ready for workers of a market; the test's leftovers end them. */
export async function openMortalWorkers({ house, chain }: Market): Promise<MortalWorkers> {
  // of its own: one begins while the test asks for other things
  const client = new pg.Client({ connectionString: house.database.adminUrl });
  await client.connect();
  const workers: MortalWorker[] = [];
  const begun = new Set<MortalWorker>();
  let held: (call: RpcCall) => boolean = () => false;
  let tell: (worker: MortalWorker) => void = () => {};
  let last: MortalWorker | undefined;
  const isThere = ({ process: { exitCode, signalCode } }: Program): boolean => exitCode === null && signalCode === null;
  const kill = async (worker: MortalWorker): Promise<void> => {
    if (isThere(worker)) process.kill(-worker.pid, 'SIGKILL');
    await worker.ended;
  };
  leftovers.push(async () => {
    for (const worker of workers) {
      await kill(worker);
      await worker.door.close();
    }
    await client.end();
  });
  return {
    kill,
    ready: () => [...begun].filter(isThere).length,
    leader() {
      if (!last) throw new Error('Nobody leads.');
      return last;
    },
    hold(isIt) {
      held = isIt;
      return new Promise((resolve) => {
        tell = resolve;
      });
    },
    letThrough() {
      held = () => false;
    },
    async begin() {
      const door = await openDoor(chain.rpcUrl);
      const chains = [{ ...chain.setting, rpcUrl: door.url, finality: 'CONFIRMATIONS(2)' }];
      const settings = { DATABASE_URL: house.database.gatewayUrl, CHAINS: JSON.stringify(chains) };
      const worker = { ...run('src/worker.ts', makeRoot(), [], settings), door };
      workers.push(worker);
      door.intercept = (call, response) => {
        last = worker;
        if (!held(call)) return false;
        tell(worker);
        return once(response, 'close').then(() => true);
      };
      await until(() => worker.said().includes('the worker works') || !isThere(worker));
      if (!isThere(worker)) throw new Error(`The worker ended instead: ${worker.complained()}`);
      // each wants to lead the chain and to sweep, as the gateway does the latter; and another may be killed meanwhile
      await until(async () => (await candidates(client)) === 1 + 2 * workers.filter(isThere).length);
      begun.add(worker);
      return worker;
    },
  };
}

/** How many sessions lead something, or wait to. */
async function candidates(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `select from pg_stat_activity
     where datname = current_database() and application_name = 'tollhouse leader' and query like '/* lead */%'`,
  );
  return rows.length;
}

/** The session that leads the market's chain; null while nobody does. */
export async function sessionOfLeader({ sql, registered }: Market): Promise<number | null> {
  const [row] = await sql<{ pid: number }>(
    `select l.pid
     from pg_locks l
     join pg_database d on d.oid = l.database
     where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)`,
    `watch chain ${registered().chainId}`,
  );
  return row?.pid ?? null;
}

/** A session that holds something that others need. */
export interface Obstacle {
  /** Waits until so many wait for it at once with the statement of that name. */
  meets(statement: string, count: number): Promise<void>;
  /** Lets it go, as if it had never been held. */
  clear(): Promise<void>;
}

/** Does this in a transaction of its own that stays open. */
export async function putInTheWay({ house, sql }: Market, text: string, ...values: unknown[]): Promise<Obstacle> {
  const client = new pg.Client({ connectionString: house.database.adminUrl });
  await client.connect();
  await client.query('begin');
  const { rowCount } = await client.query(text, values);
  if (!rowCount) throw new Error('There is nothing to hold.');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return {
    meets: (statement, count) =>
      until(async () => {
        const waiting = await sql(
          'select from pg_stat_activity where $1 = any (pg_blocking_pids(pid)) and query like $2',
          rows[0]?.pid,
          `%/* ${statement} */%`,
        );
        return waiting.length === count;
      }),
    clear: async () => {
      await client.query('rollback');
      await client.end();
    },
  };
}
