import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../database/errors.ts';
import { Prisma } from '../../database/generated/client.ts';
import type { Projection } from '../model.ts';
import { type Comparison, compareProjection, type Difference } from './compareProjection.ts';

/** Sends a statement over the one connection of the tables' owner, who may become the auditor and the doorkeeper. */
export interface ProjectionOwner {
  send<Row>(statement: { readonly text: string; readonly values: unknown[] }): Promise<Row[]>;
}

/** A row that stays as it is, though the log says something else. */
export interface LeftRow {
  readonly id: string;
  readonly reason: string;
}

/** What came of writing what the log says into a table. */
export interface Rebuilt {
  readonly before: Comparison;
  /** Once that was committed; the same as before when there was nothing to write. */
  readonly after: Comparison;
  readonly written: number;
  readonly left: readonly LeftRow[];
}

interface Input {
  readonly projection: Projection;
  readonly organizationId: string;
  /** By which the audit entries of what is written are found. */
  readonly requestId: string;
}

/** A row to be written: what was told, of the columns that say something else, and since when. */
interface ToldRow {
  readonly id: string;
  readonly told: Readonly<Record<string, string>>;
  readonly at?: Readonly<Record<string, string>>;
}

const ALL = 2 ** 31 - 1;

/** How long a lock is waited for: less than until PostgreSQL ends somebody else's transaction to undo a deadlock. */
const LOCK_TIMEOUT = '500ms';
const ATTEMPTS = 60;
/** Longer than the timeout: whoever queued behind this one gets through. */
const PAUSE_MS = 1_000;

/**
 * Writes what the log says into the rows of one organization that say something else, in one transaction, in which the
 * table is locked, does not bind its owner, and tells nothing: everything else that hangs on its rows is settled, and the
 * audit says who did it. All rows are compared before and after that, and under the lock those alone that differed: others
 * wait no longer for a long history. Where nothing differs nothing is locked.
 * @throws Error when others hold the table all the time, or a trigger told something all the same
 */
export async function rebuildProjection(owner: ProjectionOwner, input: Input): Promise<Rebuilt> {
  const before = await inTransaction(owner, 'read only', () => compare(owner, input));
  const left = before.differences.flatMap(leaveOut);
  if (left.length === before.differences.length) return { before, after: before, written: 0, left };
  const done = await rebuildSoon(
    owner,
    input,
    before.differences.map(({ id }) => id),
  );
  const after = await inTransaction(owner, 'read only', () => compare(owner, input));
  return { before, after, ...done };
}

/** What came of the rows that differed. */
type Done = Pick<Rebuilt, 'written' | 'left'>;

/** Tries until nobody else holds the table. */
async function rebuildSoon(owner: ProjectionOwner, input: Input, ids: readonly string[]): Promise<Done> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(owner, 'read write', () => rebuild(owner, input, ids));
    } catch (error) {
      // nobody but this one waits in vain: it lets go of all that it has, and tries again
      if (!/^(55P03|40P01)$/.test(codeOf(error))) throw error;
      if (attempt === ATTEMPTS) {
        throw new Error(`${input.projection.table} is in use all the time: nothing was written.`, { cause: error });
      }
      await sleep(PAUSE_MS);
    }
  }
}

async function rebuild(owner: ProjectionOwner, input: Input, ids: readonly string[]): Promise<Done> {
  const { projection, organizationId, requestId } = input;
  const table = Prisma.raw(projection.table);
  await owner.send(Prisma.sql`
    /* enterRebuilding */
    select
      set_config('lock_timeout', ${LOCK_TIMEOUT}, true),
      set_config('app.request_id', ${requestId}, true),
      set_config('app.organization_id', ${organizationId}, true)`);
  await owner.send(Prisma.sql`lock table ${table} in access exclusive mode`);
  // whoever wrote meanwhile has committed what they told with what they wrote
  const { differences } = await compare(owner, input, ids);
  const left = differences.flatMap(leaveOut);
  const rows = differences.flatMap(takeIn);
  const dated = await findDates(owner, input, rows);
  const silent = await findSilent(owner, projection);
  const triggers = (deed: string): Prisma.Sql => Prisma.raw(silent.map((name) => `, ${deed} trigger ${name}`).join(''));
  await owner.send(Prisma.sql`alter table ${table} no force row level security${triggers('disable')}`);
  const refused = await write(owner, input, dated);
  await owner.send(Prisma.sql`alter table ${table} force row level security${triggers('enable')}`);
  const kept = new Set(refused.map(({ id }) => id));
  const written = rows.map(({ id }) => id).filter((id) => !kept.has(id));
  await owner.send(Prisma.sql`set local role tollhouse_doorkeeper`);
  for (const text of projection.settle) await owner.send({ text, values: [organizationId, written] });
  await expectSilence(owner);
  return { written: written.length, left: [...left, ...refused] };
}

async function inTransaction<Result>(
  { send }: ProjectionOwner,
  mode: 'read only' | 'read write',
  run: () => Promise<Result>,
): Promise<Result> {
  await send({ text: `begin ${mode}`, values: [] });
  try {
    const result = await run();
    await send({ text: 'commit', values: [] });
    return result;
  } catch (error) {
    // what went wrong first is what is told
    await send({ text: 'rollback', values: [] }).catch(() => {});
    throw error;
  }
}

/** Compares all rows, or some, as the one role that sees the log and the table. */
async function compare(owner: ProjectionOwner, input: Input, ids?: readonly string[]): Promise<Comparison> {
  const { projection, organizationId } = input;
  await owner.send(Prisma.sql`set local role tollhouse_auditor`);
  const comparison = await compareProjection(
    { read: owner.send },
    { projection, organizationId, most: ALL, ...(ids && { ids }) },
  );
  await owner.send(Prisma.sql`set local role none`);
  return comparison;
}

function leaveOut({ id, shown, told }: Difference): LeftRow[] {
  if (!shown) return [{ id, reason: 'the table has no such row, and the log does not carry its terms' }];
  return told ? [] : [{ id, reason: 'no fact tells of it' }];
}

function takeIn({ id, shown, told }: Difference): ToldRow[] {
  if (!shown || !told) return [];
  return [{ id, told: Object.fromEntries(Object.entries(told).filter(([name, text]) => shown[name] !== text)) }];
}

/** Finds since when each column was told what it was told last: the last fact that said something else than before. */
async function findDates(
  owner: ProjectionOwner,
  { projection, organizationId }: Input,
  rows: readonly ToldRow[],
): Promise<ToldRow[]> {
  const said = Object.entries(projection.columns).map(([name, { fact, dated }]) => {
    const told = `(e.data ->> '${fact}')`;
    return Prisma.raw(`('${name}', (${dated?.(told) ?? told})::text)`);
  });
  await owner.send(Prisma.sql`set local role tollhouse_auditor`);
  const dates = await owner.send<{ id: string; at: Readonly<Record<string, string>> }>(Prisma.sql`
    /* findToldDates */
    with said as (
      select
        e.aggregate_id as id, c.name, c.value, e.aggregate_version, e.recorded_at,
        lag(c.value) over (partition by e.aggregate_id, c.name order by e.aggregate_version) as value_before
      from events e
      cross join lateral (values ${Prisma.join(said)}) as c (name, value)
      where e.organization_id = ${organizationId}::uuid
        and e.aggregate_type = ${projection.aggregate}
        and e.aggregate_id = any (${rows.map(({ id }) => id)}::uuid[])
        and c.value is not null
    ),
    begun as (
      select distinct on (id, name) id, name, recorded_at
      from said
      where value is distinct from value_before
      order by id, name, aggregate_version desc
    )
    select id, jsonb_object_agg(name, recorded_at) as at
    from begun
    group by id`);
  await owner.send(Prisma.sql`set local role none`);
  const byId = new Map(dates.map(({ id, at }) => [id, at]));
  return rows.map((row) => ({ ...row, at: byId.get(row.id) ?? {} }));
}

/** The triggers to silence that are there and were not off before. */
async function findSilent(owner: ProjectionOwner, { table, silent }: Projection): Promise<string[]> {
  const rows = await owner.send<{ name: string }>(Prisma.sql`
    /* findSilentTriggers */
    select tgname::text as name
    from pg_trigger
    where tgrelid = ${table}::regclass and tgname = any (${[...silent]}::text[]) and tgenabled = 'O'
    order by tgname`);
  return rows.map(({ name }) => name);
}

/** Writes rows, and answers those that the table does not let be what was told: halves are tried until they are found. */
async function write(owner: ProjectionOwner, input: Input, rows: readonly ToldRow[]): Promise<LeftRow[]> {
  const [first] = rows;
  if (!first) return [];
  const { projection, organizationId } = input;
  const assignments = Object.entries(projection.columns).flatMap(([name, column]) =>
    Object.entries(column.write(`(w.told ->> '${name}')`, `(w.at ->> '${name}')::timestamptz`)).map(([target, sql]) =>
      Prisma.raw(`${target} = case when w.told ? '${name}' then ${sql} else r.${target} end`),
    ),
  );
  await owner.send(Prisma.sql`savepoint writing`);
  try {
    await owner.send(Prisma.sql`
      /* writeTold */
      update ${Prisma.raw(projection.table)} r
      set ${Prisma.join(assignments)}
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w (id uuid, told jsonb, at jsonb)
      where r.organization_id = ${organizationId}::uuid and r.id = w.id`);
    await owner.send(Prisma.sql`release savepoint writing`);
    return [];
  } catch (error) {
    // a constraint, or a text that is no value of the column
    if (!/^2[23]/.test(codeOf(error))) throw error;
    await owner.send(Prisma.sql`rollback to savepoint writing`);
    await owner.send(Prisma.sql`release savepoint writing`);
    if (rows.length === 1) return [{ id: first.id, reason: `the table refuses it: ${(error as Error).message}` }];
  }
  const middle = Math.ceil(rows.length / 2);
  return [...(await write(owner, input, rows.slice(0, middle))), ...(await write(owner, input, rows.slice(middle)))];
}

/** What is written was told long ago: whatever tells it once more undoes all of it. */
async function expectSilence(owner: ProjectionOwner): Promise<void> {
  await owner.send(Prisma.sql`set local role tollhouse_auditor`);
  const told = await owner.send<{ type: string }>(Prisma.sql`
    /* expectSilence */
    select type from events where epoch = current_event_epoch() and transaction_id = pg_current_xact_id()`);
  if (told[0]) throw new Error(`A trigger would have told ${told[0].type}: nothing was written.`);
  await owner.send(Prisma.sql`set local role none`);
}
