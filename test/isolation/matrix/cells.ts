import { newId } from '../../../src/kernel/ids.ts';
import { pick, type Row } from '../declarations/scopes.ts';
import { type Asking, askingOf, type Subject, type Target } from './asking.ts';
import type { Placed } from './cast.ts';
import { anotherLike, asWritten, ownedBy } from './newRows.ts';
import { deleteOf, insertOf, isRow, mergeInsertOf, mergeUpdateOf, updateOf, upsertOf } from './statements.ts';

/** One statement of one actor, and what must come of it. */
export interface Cell {
  readonly verb: string;
  /** Whose row it is about; empty when it is about all. */
  readonly tenant: string;
  readonly statement: string;
  /** A count, a list of keys, or one of the refusals. */
  readonly expected: string;
}

/** No privilege; a privilege, but a policy says no; a privilege that hardly anybody should have. */
export const DENIED = 'denied';
export const REFUSED = 'refused';
export const GRANTED = 'granted';

/** Every cell of a table for one actor. */
export function cellsOf(subject: Subject, placed: Placed): readonly Cell[] {
  const asking = askingOf(subject, placed);
  return [selects, inserts, updates, deletes, upserts, merges, moves, wrongs, walks].flatMap((cells) => cells(asking));
}

/** Exactly the rows within reach are seen, and of them the columns that are granted. */
function selects({ relation, targets, columns, may, reaches }: Asking): Cell[] {
  const { name, key } = relation;
  const seen = targets.filter(({ row }) => reaches('select', row));
  const granted = columns('select').length > 0;
  const cell = (verb: string, what: string, expected: string): Cell => ({
    verb,
    tenant: '',
    statement: `select ${what} from ${name}`,
    expected: granted ? expected : DENIED,
  });
  const joined = `concat_ws('/', ${key})`;
  return [
    may('select', key)
      ? cell(
          'select',
          `string_agg(${joined}, ' ' order by ${joined} collate "C")`,
          seen.map((each) => each.key).join(' '),
        )
      : cell('select', 'count(*)', String(seen.length)),
    ...relation.columns.map((column) =>
      cell(
        `select ${column}`,
        `count(${column})`,
        may('select', [column]) ? String(seen.filter(({ row }) => row[column] !== null).length) : DENIED,
      ),
    ),
  ];
}

/** New rows beside each organization's, and for a newcomer its own. */
export function newRows({ relation, aims, columns, actor, world }: Asking): { tenant: string; row: Row }[] {
  const { name } = relation;
  const granted = columns('insert');
  const written = granted.length > 0 ? relation.written.filter((column) => granted.includes(column)) : relation.written;
  return aims(granted.length > 0).flatMap(({ row, tenant }) => {
    const another = anotherLike(name, row, actor, world);
    const own = actor.name === 'newcomer' ? ownedBy(actor.who, name, row) : {};
    return [
      { tenant, row: pick(another, written) },
      ...(Object.keys(own).length > 0 ? [{ tenant: 'own', row: pick({ ...another, ...own }, written) }] : []),
    ];
  });
}

function inserts(asking: Asking): Cell[] {
  const { relation, columns, reaches } = asking;
  const outcome = (row: Row): string => (reaches('insert', row) ? '1' : REFUSED);
  return newRows(asking).map(({ tenant, row }) => ({
    verb: 'insert',
    tenant,
    statement: insertOf(relation.name, row),
    expected: columns('insert').length > 0 ? outcome(row) : DENIED,
  }));
}

/** Addressed by key, which asks for the right to see the row; and blindly, which does not. */
function updates({ relation, targets, aims, may, reaches, change }: Asking): Cell[] {
  const changed = Object.keys(change(targets[0]?.row ?? {}));
  const allowed = may('update', changed);
  const reached = targets.filter(({ row }) => reaches('update', row));
  const [sample] = [...reached, ...targets];
  return [
    ...aims(allowed).map(({ row, tenant }) => ({
      verb: 'update',
      tenant,
      statement: updateOf(relation.name, change(row), isRow(relation.key, row)),
      expected:
        allowed && may('select', relation.key) ? count(reaches('select', row) && reaches('update', row)) : DENIED,
    })),
    {
      verb: 'update blindly',
      tenant: '',
      statement: updateOf(relation.name, change(sample?.row ?? {})),
      expected: allowed ? String(reached.length) : DENIED,
    },
  ];
}

function deletes({ relation, targets, aims, columns, may, reaches }: Asking): Cell[] {
  const allowed = columns('delete').length > 0;
  return [
    ...aims(allowed).map(({ row, tenant }) => ({
      verb: 'delete',
      tenant,
      statement: deleteOf(relation.name, isRow(relation.key, row)),
      expected:
        allowed && may('select', relation.key) ? count(reaches('select', row) && reaches('delete', row)) : DENIED,
    })),
    {
      verb: 'delete blindly',
      tenant: '',
      statement: deleteOf(relation.name),
      expected: allowed ? String(targets.filter(({ row }) => reaches('delete', row)).length) : DENIED,
    },
  ];
}

/** With the key of a row that is there: it must be within reach of all three verbs, before and after. */
function upserts({ relation, aims, columns, may, reaches, change, actor, world }: Asking): Cell[] {
  const { name, key } = relation;
  return aims(columns('insert').length > 0 && columns('update').length > 0).map(({ row, tenant }) => {
    const proposed = pick({ ...row, ...asWritten(name, row, actor, world), ...pick(row, key) }, relation.written);
    const allowed =
      may('insert', Object.keys(proposed)) && may('update', Object.keys(change(row))) && may('select', key);
    const reached = reaches('insert', proposed) && reaches('update', row) && reaches('select', row);
    return {
      verb: 'upsert',
      tenant,
      statement: upsertOf(name, proposed, key, change(row)),
      expected: allowed ? (reached ? '1' : REFUSED) : DENIED,
    };
  });
}

/** Unlike UPDATE, MERGE does not pass over a row that is seen and may not be changed. */
function merges(asking: Asking): Cell[] {
  const { relation, aims, columns, may, reaches, change } = asking;
  const { name, key } = relation;
  return [
    ...aims(columns('update').length > 0).map(({ row, tenant }) => ({
      verb: 'merge update',
      tenant,
      statement: mergeUpdateOf(name, change(row), isRow(key, row)),
      expected:
        may('update', Object.keys(change(row))) && may('select', key)
          ? reaches('select', row) && !reaches('update', row)
            ? REFUSED
            : count(reaches('select', row))
          : DENIED,
    })),
    ...newRows(asking).map(({ row, tenant }) => ({
      verb: 'merge insert',
      tenant,
      statement: mergeInsertOf(name, row, isRow(key, row)),
      expected: columns('insert').length > 0 && may('select', key) ? (reaches('insert', row) ? '1' : REFUSED) : DENIED,
    })),
  ];
}

/** An update that is allowed otherwise, and gives the row to another organization or user. */
function moves({ relation, law, targets, aims, may, reaches, change, world }: Asking): Cell[] {
  const reached = targets.filter(({ row }) => reaches('update', row));
  const [sample] = [...reached, ...targets];
  if (!sample) return [];
  return law.belongs.flatMap((column) => {
    const moved = ({ row, tenant }: Target): Row => ({ ...change(row), [column]: otherOwner(column, tenant, world) });
    const allowed = may('update', Object.keys(moved(sample)));
    return [
      ...aims(allowed).map((target) => ({
        verb: `move ${column}`,
        tenant: target.tenant,
        statement: updateOf(relation.name, moved(target), isRow(relation.key, target.row)),
        expected: allowed ? count(reaches('update', target.row)) : DENIED,
      })),
      {
        verb: `move ${column} blindly`,
        tenant: '',
        statement: updateOf(relation.name, moved(sample)),
        expected: allowed ? String(reached.length) : DENIED,
      },
    ];
  });
}

function otherOwner(column: string, tenant: string, { tenants }: Asking['world']): string {
  const other = tenants[(Number(tenant) + 1) % tenants.length] ?? tenants[0];
  if (column === 'id') return newId();
  return (column === 'user_id' ? other?.people.OWNER.userId : other?.organizationId) ?? '';
}

/** A write that is allowed, with one wrong word in it. */
function wrongs(asking: Asking): Cell[] {
  const { relation, law, targets, world, actor, may, reaches, change } = asking;
  const { name, key } = relation;
  const rows = newRows(asking);
  const base =
    rows.find(({ row }) => reaches('insert', row)) ??
    rows.find(({ row }) => row.organization_id === actor.who.organizationId);
  const changeable = targets.find(({ row }) => reaches('update', row));
  return law.wrong(actor.name).flatMap((wrong): Cell[] => {
    const [verb, words] = 'insert' in wrong ? (['insert', wrong.insert] as const) : (['update', wrong.update] as const);
    const word = Object.fromEntries(
      Object.entries(words).map(([column, value]) => [
        column,
        typeof value === 'function' ? value(world, actor.who) : value,
      ]),
    );
    const place = verb === 'insert' ? base : changeable;
    if (!place) return [];
    return [
      {
        verb: `${verb} wrong ${Object.keys(word)}`,
        tenant: place.tenant,
        statement:
          verb === 'insert'
            ? insertOf(name, { ...place.row, ...word })
            : updateOf(name, { ...change(place.row), ...word }, isRow(key, place.row)),
        expected: may(verb, Object.keys(word)) ? REFUSED : DENIED,
      },
    ];
  });
}

/** The two ways around row security: a verb that it does not bind, and not being bound. */
function walks({ relation, actor }: Asking): Cell[] {
  return [
    {
      verb: 'truncate',
      tenant: '',
      statement: `truncate ${relation.name}`,
      expected: actor.name === 'owner' ? GRANTED : DENIED,
    },
    { verb: 'be bound', tenant: '', statement: `select row_security_active('${relation.name}')`, expected: 'true' },
  ];
}

function count(reached: boolean): string {
  return reached ? '1' : '0';
}
