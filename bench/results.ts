import { readFile, writeFile } from 'node:fs/promises';
import type { Measurement, WireCost } from './measure.ts';
import type { Options } from './options.ts';
import type { Summary } from './summary.ts';
import { SYSTEMS, type SystemName } from './systems.ts';
import { judgeTargets } from './targets.ts';

/** What stands below it in RESULTS.md was written by a person, and stays. */
const MARKER = '<!-- what the figures say -->';

const RESULTS = new URL('RESULTS.md', import.meta.url);
const RAW = new URL('results.json', import.meta.url);

const NAMES: Readonly<Record<SystemName, string>> = {
  tollhouse: 'Tollhouse',
  postgraphile: 'PostGraphile 5.1.5 ¹',
  transactionPerQuery: 'transaction per query',
  floor: 'floor',
};

const PLACES = { near: 'Database near', far: 'Database behind 1 ms each way' } as const;

/** Everything that a run has found. */
export interface Findings {
  readonly machine: readonly string[];
  readonly options: Options;
  readonly costs: readonly WireCost[];
  readonly measured: readonly Measurement[];
  readonly summaries: readonly Summary[];
}

/** The tables of a run, as Markdown. */
export function showFindings({ machine, options, summaries, costs }: Findings): string {
  const { rounds, seconds } = options;
  return [
    '# Results',
    'Written by `npm run bench`; how it works and what is fair stands in [README.md](README.md).',
    machine.map((fact) => `- ${fact}`).join('\n'),
    `Medians of ${rounds} rounds, ${seconds} s for each measurement; ratios of requests a second are those of the same round, then ` +
      'their median. Node and Postgres: processor milliseconds a request. Wire: statements / round trips a request, ' +
      'entering the scene, BEGIN and COMMIT included.',
    '¹ With a polyfill of `Promise.withResolvers`, since it asks for Node 22.',
    '## Targets',
    table(['what', 'operation', 'Tollhouse', 'must', 'reach further'], judgeTargets(summaries, costs)),
    'What Row-Level Security itself costs is measured by `npm run bench:row-security`; see below.',
    ...options.latency.flatMap((latency) =>
      options.concurrency.flatMap((concurrency) => [
        `## ${PLACES[latency]}, ${concurrency === 1 ? 'one client' : `${concurrency} clients`}`,
        table(
          ['', 'system', 'req/s', 'p50 ms', 'p99 ms', 'Node', 'Postgres', 'wire', '÷ PostGraphile', '÷ floor'],
          options.operations.flatMap((operation) =>
            SYSTEMS.flatMap((system) =>
              summaries
                .filter(
                  (one) =>
                    one.system === system &&
                    one.operation === operation &&
                    one.latency === latency &&
                    one.concurrency === concurrency,
                )
                .map(showSummary),
            ),
          ),
        ),
      ]),
    ),
  ].join('\n\n');
}

/** Writes RESULTS.md, but for the part that a person wrote, and the raw numbers beside it. */
export async function writeFindings(findings: Findings): Promise<void> {
  const before = await readFile(RESULTS, 'utf8').catch(() => '');
  const kept = before.includes(MARKER) ? before.slice(before.indexOf(MARKER)) : `${MARKER}\n`;
  await writeFile(RESULTS, `${showFindings(findings)}\n\n${kept}`);
  const { machine, costs, measured } = findings;
  const lines = measured.map((one) => JSON.stringify(one));
  await writeFile(
    RAW,
    `{"machine":${JSON.stringify(machine)},"costs":${JSON.stringify(costs)},"measured":[\n${lines.join(',\n')}\n]}\n`,
  );
}

function showSummary(one: Summary): readonly string[] {
  const ratio = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
  return [
    one.operation,
    NAMES[one.system],
    one.perSecond < 100 ? one.perSecond.toFixed(1) : one.perSecond.toFixed(0),
    ...[one.p50, one.p99, one.systemMs, one.postgresMs].map((value) => value.toFixed(2)),
    one.wire ? `${Math.round(one.wire.statements)}/${Math.round(one.wire.roundTrips)}` : '–',
    ratio(one.toPostgraphile),
    ratio(one.toFloor),
  ];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
