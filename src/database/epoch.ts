import type pg from 'pg';

/**
 * Begins the event log's next epoch when this is not the cluster that the last one began in: transaction ids, by which
 * readers of the log know their place, start anew after a dump and restore. Asks for the owner, and for the tables'
 * migration; without them there is nothing to record.
 */
export async function recordEpoch(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ present: boolean }>(
    `select to_regclass('public.event_epochs') is not null as present`,
  );
  if (!rows[0]?.present || (await isCurrent(client))) return;
  // FORCE binds the owner too, so it is lifted for the one statement, in a transaction that nobody else can look into.
  await client.query(`
    begin;
    set local lock_timeout to '10s';
    alter table public.event_epochs no force row level security;
    insert into public.event_epochs (epoch, system_identifier)
    select coalesce(max(epoch), 0) + 1, (select system_identifier::text from pg_control_system())
    from public.event_epochs;
    alter table public.event_epochs force row level security;
    commit`);
}

/** Reads as the role that may, since a lock on the table would hold up everyone who appends. */
async function isCurrent(client: pg.Client): Promise<boolean> {
  await client.query('begin read only; set local role tollhouse_doorkeeper');
  const { rows } = await client.query<{ current: boolean }>(`/* isCurrentEpoch */
    select system_identifier = (select system_identifier::text from pg_control_system()) as current
    from public.event_epochs
    order by epoch desc
    limit 1`);
  await client.query('rollback');
  return rows[0]?.current ?? false;
}
