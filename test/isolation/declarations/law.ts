import { type ActorName, ROLE_OF, type Who } from '../actors.ts';
import type { CrowdedWorld } from '../matrix/world.ts';
import { SCOPES, type ScopeName } from './scopes.ts';

/**
 * What each may do with the rows of a table; whatever is not stated is refused. A permission is a verb, the columns
 * when not all, and the reach: `select(id name):own`, or `select:own|self` for both.
 */
export interface Declaration {
  readonly columns: string;
  /** The column that says whose a row is, beside those named for an organization or a user. */
  readonly belongs?: 'id';
  /** By the names of one or several actors. */
  readonly allowed: Readonly<Record<string, string>>;
  /** What one wrong word makes of a write that is allowed otherwise: it is refused. */
  readonly wrong?: Readonly<Record<string, readonly Wrong[]>>;
}

export type Declarations = Readonly<Record<string, Declaration>>;

/** A new row, or a change, with the wrong value in it. */
export type Wrong = { readonly insert: Words } | { readonly update: Words };
type Words = Readonly<Record<string, Word>>;
type Word = string | null | ((world: CrowdedWorld, who: Who) => string);

/** An id that nobody has. */
export const SOMEBODY = '00000000-0000-7000-8000-000000000000';

export type Verb = 'select' | 'insert' | 'update' | 'delete';
export const VERBS: readonly Verb[] = ['select', 'insert', 'update', 'delete'];

/** One table's declaration, as the cells ask it. */
export interface Law {
  readonly columns: readonly string[];
  readonly belongs: readonly string[];
  /** The columns that a role may do the verb with: those that any of its actors needs. */
  columnsOf(role: string, verb: Verb): ReadonlySet<string>;
  /** How far an actor reaches with the verb. */
  reach(actor: ActorName, verb: Verb): readonly ScopeName[];
  wrong(actor: ActorName): readonly Wrong[];
  readonly permissions: readonly { readonly actor: ActorName; readonly verb: Verb }[];
}

/** The owner of the tables may do everything with them, and reaches no row: that is what FORCE is for. */
const OWNER = ROLE_OF.owner;

const OWNING = /^(claimed_)?organization_id$|^user_id$/;
const PERMISSION = /\s*(\w+)(?:\(([^)]*)\))?:([\w|]+)\s*/y;

/** Reads a declaration; a name in it that does not exist is a mistake, and so is an actor's verb that stands twice. */
export function readLaw(table: string, { columns: text, belongs, allowed, wrong = {} }: Declaration): Law {
  const columns = words(text);
  const permissions = Object.entries(allowed).flatMap(([actors, permitted]) =>
    readActors(actors, table).flatMap((actor) => readPermissions(permitted, columns, table, actor)),
  );
  const columnsOf = new Map<string, ReadonlySet<string>>();
  const reach = new Map<string, readonly ScopeName[]>();
  for (const { actor, verb, columns, scopes } of permissions) {
    const role = `${ROLE_OF[actor]} ${verb}`;
    if (reach.has(`${actor} ${verb}`))
      throw new Error(`The declaration of ${table} says twice what ${actor} may ${verb}.`);
    reach.set(`${actor} ${verb}`, scopes);
    columnsOf.set(role, new Set([...(columnsOf.get(role) ?? []), ...columns]));
  }
  return {
    columns,
    permissions,
    belongs: columns.filter((column) => OWNING.test(column) || column === belongs),
    columnsOf: (role, verb) => columnsOf.get(`${role} ${verb}`) ?? new Set(role === OWNER ? columns : []),
    reach: (actor, verb) => reach.get(`${actor} ${verb}`) ?? [],
    wrong: (actor) =>
      Object.entries(wrong).flatMap(([actors, words]) => (readActors(actors, table).includes(actor) ? words : [])),
  };
}

/** What an actor may do, word by word. */
interface Permission {
  readonly actor: ActorName;
  readonly verb: Verb;
  readonly columns: readonly string[];
  readonly scopes: readonly ScopeName[];
}

function readPermissions(text: string, all: readonly string[], table: string, actor: ActorName): Permission[] {
  const permissions: Permission[] = [];
  PERMISSION.lastIndex = 0;
  for (let end = 0; end < text.length; end = PERMISSION.lastIndex) {
    const [, verb = '', some, reach = ''] = PERMISSION.exec(text) ?? [];
    permissions.push({
      actor,
      verb: oneOf(VERBS, verb, table),
      columns: some === undefined ? all : words(some).map((column) => oneOf(all, column, table)),
      scopes: reach.split('|').map((scope) => oneOf(Object.keys(SCOPES) as ScopeName[], scope, table)),
    });
  }
  return permissions;
}

function readActors(text: string, table: string): ActorName[] {
  return words(text).map((actor) => oneOf(Object.keys(ROLE_OF) as ActorName[], actor, table));
}

function oneOf<Name extends string>(names: readonly Name[], name: string, table: string): Name {
  const found = names.find((each) => each === name);
  if (!found) throw new Error(`The declaration of ${table} says '${name}', where one of these must stand: ${names}`);
  return found;
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
