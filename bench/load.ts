// The generator of requests, in a process of its own: so many loops, each with one connection and one request under way.
import { type Connection, openConnection } from './connection.ts';
import { timeOf, timeOfFamily } from './processorTime.ts';

/** What the generator is told: to keep requests under a name, or to send those of a name. */
export type LoadMessage =
  | { readonly kind: 'keep'; readonly name: string; readonly port: number; readonly requests: readonly string[] }
  | ({ readonly kind: 'run' } & LoadRun);

/** One measurement. */
export interface LoadRun {
  readonly name: string;
  readonly concurrency: number;
  /** Before anything is counted. */
  readonly warmUpMs: number;
  readonly ms: number;
  /** Whose processor time is counted: the system's process, and PostgreSQL's with all its backends. */
  readonly pids: { readonly system: number; readonly postmaster: number };
}

/** What was measured; times of one request are in milliseconds, those of processors in milliseconds a request. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly systemMs: number;
  readonly postgresMs: number;
}

const kept = new Map<string, { readonly port: number; readonly requests: readonly Buffer[]; next: number }>();
const ERRORS = Buffer.from('"errors"');
const OK = Buffer.from('HTTP/1.1 200 ');

async function run({ name, concurrency, warmUpMs, ms, pids }: LoadRun): Promise<LoadResult> {
  const script = kept.get(name);
  if (!script) throw new Error(`nothing is kept as ${name}`);
  const connections = await Promise.all(Array.from({ length: concurrency }, () => openConnection(script.port)));
  const latencies: number[] = [];
  let phase: 'warming' | 'measuring' | 'over' = 'warming';
  const loop = async (connection: Connection): Promise<void> => {
    while (phase !== 'over') {
      const request = script.requests[script.next++ % script.requests.length] as Buffer;
      const begun = performance.now();
      check(await connection.send(request));
      if (phase === 'measuring') latencies.push(performance.now() - begun);
    }
  };
  const loops = Promise.all(connections.map(loop));
  const times = (): { at: number; system: number; postgres: number } => ({
    at: performance.now(),
    system: timeOf(pids.system),
    postgres: timeOfFamily(pids.postmaster),
  });
  await Promise.race([loops, sleep(warmUpMs)]);
  const before = times();
  phase = 'measuring';
  await Promise.race([loops, sleep(ms)]);
  phase = 'over';
  const requests = latencies.length;
  const after = times();
  await loops;
  for (const connection of connections) connection.close();
  latencies.sort((one, other) => one - other);
  const each = (seconds: number): number => (seconds * 1000) / requests;
  return {
    requests,
    perSecond: (requests / (after.at - before.at)) * 1000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    systemMs: each(after.system - before.system),
    postgresMs: each(after.postgres - before.postgres),
  };
}

function check(answer: Buffer): void {
  if (!answer.subarray(0, OK.length).equals(OK) || answer.includes(ERRORS)) {
    throw new Error(`a request failed: ${answer.toString('utf8', 0, 1_000)}`);
  }
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', (message: LoadMessage) => {
  if (message.kind === 'keep') {
    const { name, port, requests } = message;
    kept.set(name, { port, requests: requests.map((request) => Buffer.from(request)), next: 0 });
    process.send?.({});
    return;
  }
  void run(message).then(
    (result) => process.send?.(result),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.once('disconnect', () => process.exit());
process.send?.({});
