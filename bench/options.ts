import { parseArgs } from 'node:util';
import { OPERATIONS, type Operation } from './faces/face.ts';
import { SYSTEMS, type SystemName } from './systems.ts';

/** Where the database is: at hand, or behind the proxy's delay. */
export const LATENCIES = ['near', 'far'] as const;
export type Latency = (typeof LATENCIES)[number];

/** What is measured in one run. */
export interface Options {
  readonly systems: readonly SystemName[];
  readonly operations: readonly Operation[];
  readonly concurrency: readonly number[];
  readonly latency: readonly Latency[];
  /** Of each measurement. */
  readonly seconds: number;
  /** How often each is measured. */
  readonly rounds: number;
  /** Whether bench/RESULTS.md may be written. */
  readonly write: boolean;
}

const USAGE = `npm run bench -- [options]
  --systems ${SYSTEMS.join(',')}
  --operations ${OPERATIONS.join(',')}
  --concurrency 1,16,64
  --latency ${LATENCIES.join(',')}
  --seconds 1       of each measurement
  --rounds 5        of each measurement, systems taking turns
  --no-write        shows the tables, and leaves RESULTS.md as it is; so does a run of a part`;

const CONCURRENCY = [1, 16, 64] as const;

/**
 * Reads the command line; everything is measured unless it says otherwise.
 * @throws Error with the usage
 */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      systems: text,
      operations: text,
      concurrency: text,
      latency: text,
      seconds: text,
      rounds: text,
      'no-write': { type: 'boolean' },
    },
  });
  return {
    systems: someOf(SYSTEMS, values.systems),
    operations: someOf(OPERATIONS, values.operations),
    concurrency: values.concurrency?.split(',').map(positive) ?? CONCURRENCY,
    latency: someOf(LATENCIES, values.latency),
    seconds: positive(values.seconds ?? '1'),
    rounds: positive(values.rounds ?? '5'),
    write: !values['no-write'],
  };
}

/** Whether the run is all that RESULTS.md tells of, and may be written there. */
export function isWhole({ systems, operations, concurrency, latency, write }: Options): boolean {
  const whole: readonly (readonly [readonly unknown[], readonly unknown[]])[] = [
    [systems, SYSTEMS],
    [operations, OPERATIONS],
    [concurrency, CONCURRENCY],
    [latency, LATENCIES],
  ];
  return write && whole.every(([asked, all]) => all.every((one) => asked.includes(one)));
}

function someOf<Name extends string>(all: readonly Name[], asked: string | undefined): readonly Name[] {
  if (asked === undefined) return all;
  return asked.split(',').map((name) => {
    const known = all.find((one) => one === name);
    if (!known) throw new Error(`${name} is none of ${all.join(', ')}.\n${USAGE}`);
    return known;
  });
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${text} is no positive number.\n${USAGE}`);
  return number;
}
