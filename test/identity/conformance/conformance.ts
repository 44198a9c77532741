import { type Case, NAMED_CASES } from './cases.ts';
import { reachGateway } from './gateway.ts';
import { INSIDE_CASES, type InsideCase } from './insideCases.ts';
import { OFFICIAL_CASES } from './officialCases.ts';

/** A case and what came of it. */
export interface Outcome extends Pick<Case, 'about' | 'name' | 'expected'> {
  readonly actual: string;
  readonly agrees: boolean;
}

/** Every case, the named ones first. */
export const CASES: readonly Case[] = [...NAMED_CASES, ...OFFICIAL_CASES];

/**
 * Holds the gateway at this address to every case, one after the other, by what anybody may ask of it.
 * @param onWait is told when a rate limit makes it wait, with the seconds
 */
export async function holdToCases(url: string, onWait?: (seconds: number) => void): Promise<readonly Outcome[]> {
  const gateway = await reachGateway(url, onWait);
  const outcomes: Outcome[] = [];
  for (const { about, name, expected, run } of CASES) {
    const actual = await run(gateway);
    outcomes.push({ about, name, expected, actual, agrees: actual === expected });
  }
  return outcomes;
}

/** The outcomes as a table, then what was not tried and why; under it how many differ. */
export function tableOf(outcomes: readonly Outcome[], untried: readonly InsideCase[] = INSIDE_CASES): string {
  const rows = [
    ['', 'about', 'case', 'expected', 'actual'],
    ...outcomes.map(({ about, name, expected, actual, agrees }) => [
      agrees ? 'ok' : 'DIFFERS',
      about,
      name,
      expected,
      actual,
    ]),
    ...untried.map(({ about, name, expected, needs }) => ['untried', about, name, expected, `needs ${needs}`]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const differing = outcomes.filter(({ agrees }) => !agrees).length;
  const counts = `${outcomes.length} cases, ${differing} differ; ${untried.length} more are not tried from outside`;
  return [...lines, '', counts].join('\n');
}
