import pg from 'pg';
import { enterAs, loginOf } from '../actors.ts';
import { type Law, readLaw } from '../declarations/law.ts';
import { LAWS } from '../declarations/laws.ts';
import type { Row } from '../declarations/scopes.ts';
import type { Subject, Target } from './asking.ts';
import { castOf, type Placed } from './cast.ts';
import { type Relation, readRelations } from './relations.ts';
import { type CrowdedWorld, seedCrowdedWorld } from './world.ts';

/** Where everybody acts: one connection of a superuser, so that law that is not yet committed is seen. */
export interface Stage {
  readonly client: pg.Client;
  readonly world: CrowdedWorld;
  readonly relations: readonly Relation[];
  readonly cast: readonly Placed[];
  readonly subjects: ReadonlyMap<string, Subject>;
  close(): Promise<void>;
}

/** What came of a statement: its answer or count, or why it failed. */
export interface Outcome {
  readonly answer?: string | null;
  readonly code?: string;
  readonly message?: string;
  readonly detail?: string;
}

/** Runs each statement as whoever calls it, undoes it, and tells what came of it: one round trip for all of them. */
const ATTEMPT_EACH = `
create function attempt_each(statements text[]) returns jsonb
language plpgsql
as $$
declare
  statement text;
  answer text;
  affected bigint;
  state text;
  message text;
  detail text;
  outcomes jsonb[] := '{}';
begin
  foreach statement in array statements loop
    begin
      if starts_with(statement, 'select') then
        execute statement into answer;
      else
        execute statement;
        get diagnostics affected = row_count;
        answer := affected::text;
      end if;
      raise exception using errcode = 'TH000';
    exception when others then
      get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
      outcomes := outcomes || case state
        when 'TH000' then jsonb_build_object('answer', answer)
        else jsonb_build_object('code', state, 'message', message, 'detail', detail)
      end;
    end;
  end loop;
  return to_jsonb(outcomes);
end
$$`;

/**
 * Seeds the database's world and opens the stage.
 * @param options.sameIds whether only the organization tells rows apart; they do unless said otherwise
 */
export async function openStage(adminUrl: string, { sameIds = true } = {}): Promise<Stage> {
  const world = await seedCrowdedWorld(adminUrl, sameIds);
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(ATTEMPT_EACH);
  await client.query("set lc_messages = 'C'");
  const relations = await readRelations(client);
  const rows = new Map<string, readonly Row[]>();
  for (const { name } of relations) rows.set(name, await readRows(client, name));
  const ties = {
    memberships: rows.get('memberships') ?? [],
    credits: rows.get('payment_credits') ?? [],
    organizations: rows.get('organizations') ?? [],
  };
  const subjects = relations.map((relation): [string, Subject] => {
    const law = LAWS.get(relation.name) ?? undeclared(relation);
    const targets = targetsOf(relation, law, rows.get(relation.name) ?? [], world);
    return [relation.name, { relation, law, targets, ties, world }];
  });
  return {
    client,
    world,
    relations,
    cast: castOf(world),
    subjects: new Map(subjects),
    close: () => client.end(),
  };
}

/** A table that nobody declared: nobody may do anything with it. */
function undeclared({ name, columns }: Relation): Law {
  return readLaw(name, { columns: columns.join(' '), allowed: {} });
}

/** All rows as text, which is how statements name them again. */
async function readRows(client: pg.Client, table: string): Promise<readonly Row[]> {
  const types = { getTypeParser: () => (value: string) => value } as pg.CustomTypesConfig;
  return (await client.query<Row>({ text: `select * from ${table}`, types })).rows;
}

function targetsOf({ key }: Relation, law: Law, rows: readonly Row[], world: CrowdedWorld): Target[] {
  const owners = new Map(
    [...world.tenants, world.gone].flatMap(({ organizationId, people }, index) =>
      [organizationId, ...Object.values(people).map(({ userId }) => userId)].map((id) => [id, String(index)]),
    ),
  );
  return rows
    .map((row) => ({
      row,
      key: key.map((column) => row[column]).join('/'),
      tenant: law.belongs.map((column) => owners.get(row[column] ?? '')).find(Boolean) ?? '-',
    }))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}

/** What the actor's statements come to; with a newcomer's user and organization made where they are pointed at. */
export async function attemptAs(
  { client }: Stage,
  placed: Placed,
  table: string,
  statements: readonly string[],
): Promise<readonly Outcome[]> {
  await client.query('savepoint scene');
  try {
    await prepare(client, placed, table);
    await client.query(`set local session authorization ${loginOf(placed.actor)}`);
    await enterAs(client, placed.actor);
    const { rows } = await client.query<{ outcomes: Outcome[] }>('select attempt_each($1) as outcomes', [statements]);
    return rows[0]?.outcomes ?? [];
  } finally {
    await client.query('rollback to savepoint scene');
  }
}

async function prepare(client: pg.Client, { actor }: Placed, table: string): Promise<void> {
  if (actor.name !== 'newcomer' || table === 'users' || table === 'organizations') return;
  const { userId, organizationId } = actor.who;
  await client.query(`insert into users (id, display_name) values ('${userId}', 'Newcomer')`);
  await client.query(`insert into organizations (id, name, slug) values ('${organizationId}', 'New', 'newcomers')`);
}
