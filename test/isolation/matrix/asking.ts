import { type Actor, ROLE_OF } from '../actors.ts';
import type { Law, Verb } from '../declarations/law.ts';
import { type Row, SCOPES, type Ties } from '../declarations/scopes.ts';
import type { Placed } from './cast.ts';
import type { Relation } from './relations.ts';
import type { CrowdedWorld } from './world.ts';

/** A row that is there to be attacked. */
export interface Target {
  readonly row: Row;
  /** Its key's values, joined. */
  readonly key: string;
  /** The number of its organization, `-` when it has none. */
  readonly tenant: string;
}

/** A table with its rows, and what is declared of it. */
export interface Subject {
  readonly relation: Relation;
  readonly law: Law;
  readonly targets: readonly Target[];
  readonly ties: Ties;
  readonly world: CrowdedWorld;
}

/** An actor before a table: what the declaration says of the two. */
export interface Asking extends Subject {
  readonly actor: Actor;
  /** The columns that the actor's role may do the verb with. */
  readonly columns: (verb: Verb) => readonly string[];
  /** Whether the role may do the verb with all of the columns. */
  readonly may: (verb: Verb, columns: readonly string[]) => boolean;
  /** Whether the row is within the actor's reach. */
  readonly reaches: (verb: Verb, row: Row) => boolean;
  /** The row that stands for all when the verb is refused whatever the row, one for each organization; else all rows. */
  readonly aims: (allowed: boolean) => readonly Target[];
  /** What an update sets: a column that is neither key nor owner, one that the role may write where there is one. */
  readonly change: (row: Row) => Row;
}

/** What an update writes where a column set to itself would not be allowed. */
const CHANGES: Readonly<Record<string, Row>> = { sessions: { ended_at: '2026-01-01' } };

/** What the declaration of the table says of the actor. */
export function askingOf(subject: Subject, { actor }: Placed): Asking {
  const { relation, law, targets, ties } = subject;
  const role = ROLE_OF[actor.name];
  const columns = (verb: Verb): readonly string[] => [...law.columnsOf(role, verb)];
  const plain = (column: string): boolean => !relation.unique.includes(column) && !law.belongs.includes(column);
  const changed = columns('update').find(plain) ?? relation.columns.find(plain) ?? '';
  return {
    ...subject,
    actor,
    columns,
    may: (verb, asked) => columns(verb).length > 0 && asked.every((column) => law.columnsOf(role, verb).has(column)),
    reaches: (verb, row) => law.reach(actor.name, verb).some((scope) => SCOPES[scope](actor.who, row, ties)),
    aims: (allowed) => (allowed ? targets : firstOfEach(targets)),
    change: (row) => CHANGES[relation.name] ?? { [changed]: row[changed] ?? null },
  };
}

function firstOfEach(targets: readonly Target[]): readonly Target[] {
  return [...new Map(targets.toReversed().map((target) => [target.tenant, target])).values()].reverse();
}
