import type { Subject } from './asking.ts';
import type { Placed } from './cast.ts';
import { type Cell, cellsOf, DENIED, GRANTED, REFUSED } from './cells.ts';
import { attemptAs, type Outcome, type Stage } from './stage.ts';

/** Where the database did not say what is declared; in the order in which it is read aloud. */
export interface Difference {
  readonly table: string;
  readonly actor: string;
  /** The organization of the actor's scene, and of the row. */
  readonly scene: string;
  readonly verb: string;
  readonly tenant: string;
  readonly expected: string;
  readonly found: string;
}

/** The cells of a table for one actor that say something else than is declared. */
export async function differencesOf(stage: Stage, table: string, placed: Placed): Promise<readonly Difference[]> {
  const subject = stage.subjects.get(table) as Subject;
  const { actor, scene } = placed;
  const cells = cellsOf(subject, placed);
  let outcomes: readonly Outcome[];
  try {
    outcomes = await attemptAs(
      stage,
      placed,
      table,
      cells.map(({ statement }) => statement),
    );
  } catch (error) {
    const found = (error as Error).message;
    return [{ table, actor: actor.name, scene, verb: 'enter', tenant: '', expected: 'entered', found }];
  }
  return cells.flatMap((cell, index) => {
    const { verb, tenant, expected } = cell;
    const found = nameOutcome(cell, outcomes[index] ?? {});
    if (found === expected) return [];
    const named = (keys: string): string => (verb === 'select' ? nameRows(keys, subject) : keys);
    return [{ table, actor: actor.name, scene, verb, tenant, expected: named(expected), found: named(found) }];
  });
}

/** A line that says where to look. */
export function tell({ table, actor, scene, verb, tenant, expected, found }: Difference): string {
  const where = tenant === '' ? table : `${table} of ${tenant}`;
  return `${actor} in ${scene}: ${verb} ${where}: expected ${expected}, found ${found}`;
}

/** What an outcome is called in a cell. */
function nameOutcome({ verb, expected }: Cell, { answer, code, message = '' }: Outcome): string {
  if (verb === 'truncate' && (code === undefined || code === REFERRED_TO)) return GRANTED;
  if (code === undefined) return answer ?? '';
  if (code === BOUND) return expected === '0' ? expected : REFUSED;
  if (code !== NOT_ALLOWED) return `${code} ${message}`;
  return message.includes('row-level security') ? REFUSED : DENIED;
}

const NOT_ALLOWED = '42501';
/** A bound session is told why it reaches no row, before it is seen that it reaches none. */
const BOUND = 'TH409';
/** Why a table is not truncated by whoever may: others have foreign keys to it. */
const REFERRED_TO = '0A000';

/** Rows by their organization and their place among all, in place of their keys. */
function nameRows(keys: string, { targets }: Subject): string {
  const names = new Map(targets.map(({ key, tenant }, index) => [key, `${tenant}#${index}`]));
  return `[${keys
    .split(' ')
    .map((key) => names.get(key) ?? key)
    .join(' ')}]`;
}
