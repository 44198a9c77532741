import { cpus, loadavg, release, totalmem } from 'node:os';
import { canPin } from './processes.ts';

/** What the figures were measured on, one fact a line; `before` is the load when the run began. */
export function describeMachine(facts: {
  readonly postgres: string;
  /** Behind the proxy; null where there is none. */
  readonly addedRoundTripMs: number | null;
  readonly before: number;
}): readonly string[] {
  const cores = cpus();
  return [
    `${cores.length} cores, ${cores[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `Node ${process.version.slice(1)}, PostgreSQL ${facts.postgres}`,
    canPin
      ? 'the system under test alone on core 0; PostgreSQL, the proxy and the generator together on core 1'
      : 'no process kept to a core: `taskset` or a second core is missing',
    ...(facts.addedRoundTripMs === null
      ? []
      : [
          `behind the proxy a round trip takes ${facts.addedRoundTripMs.toFixed(2)} ms longer: two delays of 1 ms, and the proxy`,
        ]),
    `load average ${facts.before.toFixed(2)} when it began, ${(loadavg()[0] ?? 0).toFixed(2)} when it ended (its own load is about 2)`,
  ];
}

/** How busy the machine is by itself. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}
