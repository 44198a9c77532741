import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { SEED, sample } from '../support/scale.ts';
import { type Control, droppedPolicies, grantsTooMany, unboundTables, weakenedPolicies } from './matrix/controls.ts';
import { BEHIND, type Finding, find } from './matrix/finding.ts';
import { openStage, type Stage } from './matrix/stage.ts';

let database: TestDatabase;
let stage: Stage;

beforeAll(async () => {
  database = await freshDatabase();
  stage = await openStage(database.adminUrl);
});
afterAll(async () => {
  await stage.close();
  await database.drop();
});

const isBehind = ({ name }: Control): boolean =>
  Object.keys(BEHIND).some((condition) => name.startsWith(`${condition} `));

/** All that are behind another lock, and some of the others. */
function sampleOf(controls: readonly Control[]): readonly Control[] {
  const others = controls.filter((control) => !isBehind(control));
  return [...controls.filter(isBehind), ...sample(others, 12)];
}

/** One fault at a time; that nothing is found where there is none, is what matrix.test.ts says. */
const FAULTS: readonly (readonly [fault: string, controls: () => Promise<readonly Control[]>])[] = [
  ['a policy that was dropped', async () => sample(await droppedPolicies(stage.client), 4)],
  ['a condition that was left out', async () => sampleOf(await weakenedPolicies(stage.client))],
  [
    'a table without row security, or that does not force it',
    async () => sample(unboundTables([...stage.subjects.keys()]), 4),
  ],
  // A thousand and more, all found alike: by the privileges that the catalog tells.
  ['a verb or a column that was granted too many', async () => sample(await grantsTooMany(stage.client), 20)],
];

describe('the matrix finds', () => {
  const behind = new Set<string>();

  it.each(FAULTS)('%s, wherever it is', { timeout: 600_000 }, async (fault, controls) => {
    const found: Partial<Record<Finding, number>> = {};
    const missed: string[] = [];
    for (const control of await controls()) {
      const finding = await find(stage, control);
      found[finding] = (found[finding] ?? 0) + 1;
      if (finding === 'not at all') missed.push(control.name);
      if (finding === 'behind another lock') behind.add(control.name);
    }
    console.info(`${fault}: ${JSON.stringify(found)}, TOLLHOUSE_TEST_SEED=${SEED}`);
    expect(missed).toEqual([]);
    expect(Object.keys(found)).not.toEqual([]);
  });

  it('nothing in vain: each lock that is opened for it hides a condition', () => {
    const idle = Object.keys(BEHIND).filter((condition) => ![...behind].some((name) => name.startsWith(condition)));
    expect(idle).toEqual([]);
  });
});
