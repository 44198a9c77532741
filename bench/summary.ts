import type { Operation } from './faces/face.ts';
import type { Measurement, WireCost } from './measure.ts';
import type { Latency } from './options.ts';
import type { SystemName } from './systems.ts';

/** The medians of all rounds of one system at one thing. */
export interface Summary {
  readonly system: SystemName;
  readonly operation: Operation;
  readonly concurrency: number;
  readonly latency: Latency;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly systemMs: number;
  readonly postgresMs: number;
  readonly wire: WireCost | null;
  /** Requests a second as a multiple of the peer's in the same round; null when the peer was not measured. */
  readonly toPostgraphile: number | null;
  readonly toFloor: number | null;
}

/** Takes medians, and of each round's ratios too: what a busy moment of the machine does to one it does to its peers. */
export function summarize(measured: readonly Measurement[], costs: readonly WireCost[]): readonly Summary[] {
  const cells = new Map<string, Measurement[]>();
  for (const one of measured) {
    const key = [one.latency, one.concurrency, one.operation, one.system].join(' ');
    cells.set(key, [...(cells.get(key) ?? []), one]);
  }
  return [...cells.values()].map((rounds) => {
    const [{ system, operation, concurrency, latency }] = rounds as [Measurement];
    const middle = (read: (one: Measurement) => number): number => median(rounds.map(read));
    const peers = measured.filter(
      (one) => one.operation === operation && one.concurrency === concurrency && one.latency === latency,
    );
    return {
      ...{ system, operation, concurrency, latency },
      perSecond: middle((one) => one.perSecond),
      p50: middle((one) => one.p50),
      p99: middle((one) => one.p99),
      systemMs: middle((one) => one.systemMs),
      postgresMs: middle((one) => one.postgresMs),
      wire: costs.find((cost) => cost.system === system && cost.operation === operation && !cost.idempotent) ?? null,
      toPostgraphile: ratioTo('postgraphile', rounds, peers),
      toFloor: ratioTo('floor', rounds, peers),
    };
  });
}

function ratioTo(name: SystemName, rounds: readonly Measurement[], peers: readonly Measurement[]): number | null {
  const ratios = rounds.flatMap(({ round, perSecond }) => {
    const peer = peers.find((one) => one.system === name && one.round === round);
    return peer ? [perSecond / peer.perSecond] : [];
  });
  return ratios.length > 0 ? median(ratios) : null;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
