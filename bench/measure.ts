import { randomUUID } from 'node:crypto';
import { askOnce } from './agreement.ts';
import type { Operation } from './faces/face.ts';
import type { LoadMessage, LoadResult } from './load.ts';
import type { MessageCount } from './messageCount.ts';
import type { Latency, Options } from './options.ts';
import type { ProxyMessage } from './proxy.ts';
import { picksFor } from './requests.ts';
import { DELAY_MS, requestsName, type Stage } from './stage.ts';
import type { System, SystemName } from './systems.ts';

/** What one request of an operation costs on the wire to the database. */
export interface WireCost extends MessageCount {
  readonly system: SystemName;
  readonly operation: Operation;
  /** Whether it carried an idempotency key, which only Tollhouse takes. */
  readonly idempotent: boolean;
}

/** One measurement of one system, with what was measured besides it in the same round. */
export interface Measurement extends LoadResult {
  readonly system: SystemName;
  readonly operation: Operation;
  readonly concurrency: number;
  readonly latency: Latency;
  readonly round: number;
}

const COUNTED = 50;
const WARM_UP_MS = 200;
/** Longer at first, for the compilers of JavaScript to have seen everything. */
const FIRST_WARM_UP_MS = 2_000;

/** Counts statements and round trips of each operation, behind the proxy without its delay. */
export async function countMessagesOf(stage: Stage, options: Options): Promise<readonly WireCost[]> {
  const costs: WireCost[] = [];
  for (const system of stage.systems.far) {
    for (const operation of options.operations) {
      costs.push(await countMessages(stage, system, operation, false));
      if (system.name === 'tollhouse' && operation === 'M1') {
        costs.push(await countMessages(stage, system, operation, true));
      }
    }
  }
  return costs;
}

async function countMessages(
  stage: Stage,
  system: System,
  operation: Operation,
  idempotent: boolean,
): Promise<WireCost> {
  const picks = picksFor(operation, stage.world).slice(0, COUNTED);
  const askAll = async (): Promise<void> => {
    for (const pick of picks) {
      await askOnce(system, operation, pick, idempotent ? { 'idempotency-key': randomUUID() } : {});
    }
  };
  // what is prepared once is prepared now
  await askAll();
  const before = await countSoFar(stage, system);
  await askAll();
  const after = await countSoFar(stage, system);
  return {
    ...{ system: system.name, operation, idempotent },
    statements: (after.statements - before.statements) / picks.length,
    roundTrips: (after.roundTrips - before.roundTrips) / picks.length,
  };
}

function countSoFar({ proxy }: Stage, { name }: System): Promise<MessageCount> {
  return proxy.ask<MessageCount>({ kind: 'count', name } satisfies ProxyMessage);
}

/** Measures everything that the options ask for, round by round; within a round the systems take turns, in another order each. */
export async function measureAll(
  stage: Stage,
  options: Options,
  tell: (line: string) => void,
): Promise<readonly Measurement[]> {
  await warmUp(stage, options);
  const measured: Measurement[] = [];
  const { operations, concurrency, latency: latencies, rounds, seconds } = options;
  for (let round = 0; round < rounds; round += 1) {
    for (const latency of latencies) {
      await stage.proxy.ask({ kind: 'delay', ms: latency === 'far' ? DELAY_MS : 0 } satisfies ProxyMessage);
      for (const operation of operations) {
        for (const clients of concurrency) {
          const turn = rotate(stage.systems[latency], round);
          for (const system of turn) {
            const result = await measure(stage, system, {
              ...{ operation, latency, concurrency: clients },
              ...{ warmUpMs: WARM_UP_MS, ms: seconds * 1000 },
            });
            measured.push({ system: system.name, operation, concurrency: clients, latency, round, ...result });
          }
          tell(describeTurn(measured.slice(-turn.length)));
        }
      }
    }
  }
  return measured;
}

/** Asks each operation for a while, before anything is measured. */
export async function warmUp(stage: Stage, { latency: latencies, operations }: Options): Promise<void> {
  for (const latency of latencies) {
    for (const system of stage.systems[latency]) {
      for (const operation of operations) {
        const load = { operation, latency, concurrency: 16, warmUpMs: 0, ms: FIRST_WARM_UP_MS };
        await measure(stage, system, load);
      }
    }
  }
}

/** Measures one system at one thing. */
export async function measure(
  { load, database }: Stage,
  { name, child }: System,
  asked: { operation: Operation; latency: Latency; concurrency: number; warmUpMs: number; ms: number },
): Promise<LoadResult> {
  const { operation, latency, ...rest } = asked;
  const result = await load.ask<LoadResult & { readonly failure?: string }>({
    kind: 'run',
    name: requestsName(latency, name, operation),
    pids: { system: child.pid, postmaster: database.postmaster },
    ...rest,
  } satisfies LoadMessage);
  if (result.failure !== undefined) throw new Error(`${name}, ${operation}, ${latency}: ${result.failure}`);
  return result;
}

function rotate<Item>(items: readonly Item[], by: number): readonly Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function describeTurn(turn: readonly Measurement[]): string {
  const [first] = turn;
  if (!first) return '';
  const figures = turn.map(
    ({ system, perSecond, p50, systemMs, postgresMs }) =>
      `${system} ${perSecond.toFixed(0)}/s ${p50.toFixed(2)} ms (${systemMs.toFixed(2)} + ${postgresMs.toFixed(2)})`,
  );
  return `${first.round + 1} ${first.latency} ${first.operation} c=${first.concurrency}: ${figures.join(' · ')}`;
}
