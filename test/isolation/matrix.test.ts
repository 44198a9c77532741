import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import type { Verb } from './declarations/law.ts';
import { LAWS } from './declarations/laws.ts';
import type { Subject } from './matrix/asking.ts';
import { type Cell, cellsOf, DENIED, GRANTED, REFUSED } from './matrix/cells.ts';
import { differencesOf, tell } from './matrix/differences.ts';
import { privilegeDifferencesOf } from './matrix/privileges.ts';
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

const tables = [...LAWS.keys()];

describe('the declarations', () => {
  it('name every table that there is, and no other', () => {
    expect(tables.toSorted()).toEqual(stage.relations.map(({ name }) => name));
  });

  it.each(tables)('name every column of %s, and no other', (table) => {
    expect(LAWS.get(table)?.columns).toEqual(stage.subjects.get(table)?.relation.columns);
  });

  it('meet a row in every table', () => {
    const empty = [...stage.subjects].filter(([, { targets }]) => targets.length === 0);
    expect(empty.map(([table]) => table)).toEqual([]);
  });

  it.each(tables)('permit nothing in %s that no cell makes use of, and call nothing wrong that none tries', (table) => {
    const subject = stage.subjects.get(table) as Subject;
    const cells = stage.cast.map((placed) => ({ name: placed.actor.name, cells: cellsOf(subject, placed) }));
    const some = (actor: string, is: (cell: Cell) => boolean): boolean =>
      cells.some((each) => each.name === actor && each.cells.some(is));
    const idle = subject.law.permissions
      .filter(({ actor, verb }) => !some(actor, (cell) => uses(cell, verb) && !NOTHING.includes(cell.expected)))
      .map(({ actor, verb }) => `${actor} ${verb}`);
    const tried = (actor: string): number =>
      Math.max(
        ...cells.filter(({ name }) => name === actor).map(({ cells }) => cells.filter((cell) => isWrong(cell)).length),
      );
    const untried = cells.map(({ name }) => name).filter((name) => tried(name) !== subject.law.wrong(name).length);
    expect({ idle, untried }).toEqual({ idle: [], untried: [] });
  });
});

/** A session that is there is added only by an upsert. */
const uses = (cell: Cell, verb: Verb): boolean => cell.verb === verb || (verb === 'insert' && cell.verb === 'upsert');

const isWrong = ({ verb }: Cell): boolean => verb.includes(' wrong ');

/** What is expected of whoever reaches no row. */
const NOTHING: readonly string[] = [DENIED, REFUSED, GRANTED, '0', ''];

describe('every cell says what is declared', () => {
  let asked = 0;
  afterAll(() => console.info(`the matrix: ${asked} cells of ${tables.length} tables, ${stage.cast.length} scenes`));

  it.each(tables)('of %s', async (table) => {
    const differences = [];
    await stage.client.query('begin');
    for (const placed of stage.cast) {
      asked += cellsOf(stage.subjects.get(table) as Subject, placed).length;
      differences.push(...(await differencesOf(stage, table, placed)));
    }
    differences.push(...(await privilegeDifferencesOf(stage, table)));
    await stage.client.query('rollback');
    expect(differences.map(tell)).toEqual([]);
  });
});
