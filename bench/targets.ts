import { OPERATIONS, type Operation } from './faces/face.ts';
import type { WireCost } from './measure.ts';
import type { Latency } from './options.ts';
import type { Summary } from './summary.ts';

/** What Tollhouse is to reach, and what it would be glad to. */
interface Target {
  readonly what: string;
  readonly must: Readonly<Record<Operation, number>>;
  readonly reach: Readonly<Partial<Record<Operation, number>>>;
  /** Round trips are to be few, ratios high. */
  readonly better: 'less' | 'more';
  read(operation: Operation, summaries: readonly Summary[], costs: readonly WireCost[]): number | null;
}

const TARGETS: readonly Target[] = [
  {
    what: 'round trips (M1 with its idempotency record)',
    must: { Q1: 1, Q2: 1, Q3: 1, M1: 3 },
    reach: { M1: 1 },
    better: 'less',
    read: (operation, _, costs) => {
      const idempotent = operation === 'M1';
      const cost = costs.find(
        (one) => one.system === 'tollhouse' && one.operation === operation && one.idempotent === idempotent,
      );
      return cost?.roundTrips ?? null;
    },
  },
  {
    what: '÷ PostGraphile, far, one client',
    must: { Q1: 1.2, Q2: 2.5, Q3: 2.5, M1: 2.5 },
    reach: { Q2: 3.5, Q3: 3.5 },
    better: 'more',
    read: (operation, summaries) => find(summaries, operation, 'far', 1)?.toPostgraphile ?? null,
  },
  {
    what: '÷ PostGraphile, near, 16 clients',
    must: { Q1: 0.75, Q2: 1, Q3: 1, M1: 1 },
    reach: { Q1: 1, Q2: 1.5, Q3: 1.5, M1: 1.5 },
    better: 'more',
    read: (operation, summaries) => find(summaries, operation, 'near', 16)?.toPostgraphile ?? null,
  },
];

/** A row of the table of targets for each operation of each target that was measured. */
export function judgeTargets(
  summaries: readonly Summary[],
  costs: readonly WireCost[],
): readonly (readonly string[])[] {
  return TARGETS.flatMap((target) =>
    OPERATIONS.flatMap((operation) => {
      const value = target.read(operation, summaries, costs);
      if (value === null) return [];
      const must = target.must[operation];
      const reach = target.reach[operation];
      return [
        [
          target.what,
          operation,
          value.toFixed(2),
          `${must}: ${judge(value, must, target.better)}`,
          reach === undefined ? '' : `${reach}: ${judge(value, reach, target.better)}`,
        ],
      ];
    }),
  );
}

/** A request of the counting pass more or less is background work that fell into it. */
const SLACK = 0.1;

function judge(value: number, wanted: number, better: Target['better']): string {
  if (better === 'less') return value <= wanted + SLACK ? 'met' : `**missed** by ${(value - wanted).toFixed(1)}`;
  const percent = Math.round((value / wanted - 1) * 100);
  return value >= wanted ? `met (+${percent} %)` : `**missed** (−${-percent} %)`;
}

function find(
  summaries: readonly Summary[],
  operation: Operation,
  latency: Latency,
  concurrency: number,
): Summary | undefined {
  return summaries.find(
    (one) =>
      one.system === 'tollhouse' &&
      one.operation === operation &&
      one.latency === latency &&
      one.concurrency === concurrency,
  );
}
