import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_LOGIN, OPERATOR_ROLES, SCENE_ROLES } from '../../src/database/roles.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { DEFINERS } from './definers.ts';
import { WITHOUT_TENANT } from './withoutTenant.ts';

/** Indexes of tenant tables that do not lead with the tenant, and why. */
const ACROSS_TENANTS: Readonly<Record<string, string>> = {
  memberships_user_id_idx: 'signing in asks for the organizations of a user',
  invitations_address_idx: 'signing in asks what wallets are invited to',
  invitations_claimed_by_id_idx: 'merging asks what the user who goes has signed up by',
  payment_orders_open_idx: 'the watcher asks which order a transfer pays',
  payment_orders_amount_idx: 'and which one asks its payee for just as much',
  payment_orders_unfinished_idx: 'the worker asks which orders may change with a block',
  payment_orders_pay_to_idx: 'a transfer asks whose payee its recipient is',
  payment_orders_waiting_idx: 'and who may still be paid by it',
  payment_orders_awaiting_idx: 'and who may be about to pay from whatever wallet',
  payment_orders_payee_idx: 'and the organizations that were ever paid there, one after another',
  payment_orders_open_at_idx: 'and whether each of them waits for anybody',
  payment_orders_reference_idx: 'and the order that it names in another asset',
  payment_link_accepts_pay_to_idx: 'and it asks the links, too',
  blockchain_transactions_hash_idx: 'what has become of a transfer is told wherever it was seen',
  payment_orders_hollow_idx: 'the worker asks which orders a release before has left final by what was taken back',
  payment_link_accepts_asset_id_unwatched_idx: 'the worker asks which links say of a chain what is not so',
  payment_orders_owing_idx: 'the worker asks which orders have what their terms give back',
  unmatched_payments_late_idx: 'the worker asks what came late',
  provider_transactions_claimed_idx: 'the worker asks which claims of members are to be decided about',
  payment_refunds_unfinished_idx: 'the worker asks which refunds may change with a block',
  unmatched_payments_ambiguous_idx: 'the worker asks what was ambiguous and may not be so any more',
  provider_transactions_voided_idx: 'the worker asks which words of members were taken back and still count',
  payment_refunds_destination_idx: 'and which destinations nothing is awaited at any more',
  events_epoch_transaction_id_position_idx: 'readers of the whole log follow it',
  event_deliveries_due_idx: 'the worker asks which facts are still to be worked on',
  event_deliveries_processed_at_idx: 'and which were done long ago',
  events_tags_idx: 'a tag names what is of one tenant alone, and an array cannot stand behind a column',
  audit_entries_order_idx: 'the worker asks which entries are to be sealed next',
  audit_seals_order_idx: 'and how far it has come',
  operator_actions_created_at_id_idx: 'an operator asks what operators did, wherever',
  idempotency_keys_expires_at_idx: 'the sweeper asks which keys have expired',
};

/** Every role that is somebody when a statement runs, apart from the owner. */
const ROLES = [
  'tollhouse_gateway',
  ...SCENE_ROLES,
  OPERATOR_LOGIN,
  ...OPERATOR_ROLES,
  'tollhouse_doorkeeper',
  'tollhouse_auditor',
];

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

async function read<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  return database.sql(text, values);
}

const PUBLIC_TABLES = `pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`;

async function tenantTables(): Promise<string[]> {
  const rows = await read<{ name: string }>(`select c.relname as name from ${PUBLIC_TABLES}`);
  return rows.map(({ name }) => name).filter((name) => !(name in WITHOUT_TENANT));
}

describe('every table', () => {
  it('is a table: no view, no foreign table and no other schema hides one from these tests', async () => {
    expect(
      await read(`
        select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
          and (c.relkind in ('v', 'm', 'f', 'p') or n.nspname <> 'public')`),
    ).toEqual([]);
  });

  it('that belongs to no tenant is named, and there', async () => {
    const rows = await read<{ name: string }>(`select c.relname as name from ${PUBLIC_TABLES}`);
    const names = rows.map(({ name }) => name);
    expect(Object.keys(WITHOUT_TENANT).filter((name) => !names.includes(name))).toEqual([]);
    expect((await tenantTables()).length).toBeGreaterThan(6);
  });

  it('is under row security that binds its owner too', async () => {
    expect(await read(`select relname from ${PUBLIC_TABLES} and not (relrowsecurity and relforcerowsecurity)`)).toEqual(
      [],
    );
  });

  it('belongs to the owner of the tables, and to nobody who asks', async () => {
    const owners = await read<{ owner: string }>(
      `select distinct relowner::regrole::text as owner from ${PUBLIC_TABLES}`,
    );
    expect(owners).toEqual([{ owner: 'tollhouse_owner' }]);
  });

  it('cannot be truncated, referred to or given triggers by anybody but its owner', async () => {
    expect(
      await read(
        `select role, relname, verb
         from unnest($1::text[]) as role
         cross join unnest('{truncate,references,trigger}'::text[]) as verb
         cross join ${PUBLIC_TABLES} and has_table_privilege(role, c.oid, verb)`,
        [[...ROLES, 'public']],
      ),
    ).toEqual([]);
  });

  it('is granted to nobody with the right to grant it on, and to PUBLIC not at all', async () => {
    expect(
      await read(`
        select c.relname, a.grantee::regrole, a.privilege_type, a.is_grantable
        from ${PUBLIC_TABLES.replace('where', ', aclexplode(c.relacl) a where')}
          and a.grantee <> c.relowner and (a.is_grantable or a.grantee = 0)`),
    ).toEqual([]);
  });

  it('has a policy for each verb that is granted on it, and none that nobody asked for', async () => {
    const granted = await read<{ line: string }>(
      `select distinct format('%s %s %s', c.relname, lower(verb), role) as line
       from unnest($1::text[]) as role
       cross join unnest('{select,insert,update,delete}'::text[]) as verb
       cross join ${PUBLIC_TABLES} and c.relname <> '_prisma_migrations' and (
         has_table_privilege(role, c.oid, verb)
         or verb <> 'delete' and has_any_column_privilege(role, c.oid, verb)
       )`,
      [ROLES],
    );
    const policies = await read<{ line: string }>(`
      select format('%s %s %s', tablename, lower(cmd), role) as line
      from pg_policies cross join unnest(roles) as role
      where tablename <> '_prisma_migrations'`);
    expect(policies.map(({ line }) => line).sort()).toEqual(granted.map(({ line }) => line).sort());
  });

  it('checks what is written by a policy that says what may be', async () => {
    expect(
      await read(`
        select tablename, policyname from pg_policies
        where tablename <> '_prisma_migrations'
          and (cmd = 'ALL' or permissive <> 'PERMISSIVE' or (cmd in ('INSERT', 'UPDATE')) <> (with_check is not null))`),
    ).toEqual([]);
  });
});

describe('every table of a tenant', () => {
  it('has the key (organization_id, id)', async () => {
    const rows = await read<{ name: string; key: string }>(`
      select c.relname as name, pg_get_constraintdef(k.oid) as key
      from ${PUBLIC_TABLES.replace('where', "left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p' where")}`);
    const keys = Object.fromEntries(rows.map(({ name, key }) => [name, key]));
    for (const name of await tenantTables()) {
      expect([name, keys[name]]).toEqual([name, 'PRIMARY KEY (organization_id, id)']);
    }
  });

  it('points into its own tenant, or at what belongs to none', async () => {
    const tables = await tenantTables();
    const rows = await read<{ from: string; to: string; columns: string[]; targets: string[] }>(`
      select
        conrelid::regclass::text as from,
        confrelid::regclass::text as to,
        array(
          select attname::text from unnest(conkey) with ordinality u (n, i)
          join pg_attribute on attrelid = conrelid and attnum = n order by i
        ) as columns,
        array(
          select attname::text from unnest(confkey) with ordinality u (n, i)
          join pg_attribute on attrelid = confrelid and attnum = n order by i
        ) as targets
      from pg_constraint where contype = 'f'`);
    expect(rows.length).toBeGreaterThan(10);
    const loose = rows.filter(({ from, to, columns, targets }) => {
      const composite = columns[0] === 'organization_id' && targets[0] === 'organization_id' && columns.length > 1;
      if (tables.includes(to)) return !(tables.includes(from) && composite);
      return !(to in WITHOUT_TENANT);
    });
    expect(loose).toEqual([]);
  });

  it('is unique only within its tenant, and its indexes lead with the tenant', async () => {
    const tables = await tenantTables();
    const rows = await read<{ table: string; name: string; unique: boolean; columns: string[] }>(
      `
      select
        indrelid::regclass::text as table,
        indexrelid::regclass::text as name,
        indisunique as unique,
        array(
          select coalesce(attname::text, 'expression') from unnest(indkey::int[]) with ordinality u (n, i)
          left join pg_attribute on attrelid = indrelid and attnum = n and n > 0 order by i
        ) as columns
      from pg_index where indrelid::regclass::text = any ($1)`,
      [tables],
    );
    const across = rows.filter(({ columns }) => columns[0] !== 'organization_id');
    expect(across.filter(({ unique }) => unique)).toEqual([]);
    expect(across.map(({ name }) => name).sort()).toEqual(Object.keys(ACROSS_TENANTS).sort());
  });

  it('keeps each foreign key within reach of an index', async () => {
    const rows = await read<{ name: string }>(
      `
      select conrelid::regclass || ' ' || conname as name
      from pg_constraint k
      where contype = 'f' and conrelid::regclass::text = any ($1)
        and confrelid::regclass::text <> all ('{organizations,assets,chain_incarnations}')
        and not exists (
          select from pg_index i where i.indrelid = k.conrelid
            and (i.indkey::int[])[0:array_length(k.conkey, 1) - 1] = k.conkey::int[]
        )`,
      [await tenantTables()],
    );
    expect(rows).toEqual([]);
  });

  it('cannot have its rows moved to another tenant by anybody who asks', async () => {
    expect(
      await read(
        `select role, c.relname from unnest($1::text[]) as role cross join ${PUBLIC_TABLES}
           and exists (
             select from pg_attribute a
             where a.attrelid = c.oid and a.attname in ('organization_id', 'id')
               and has_column_privilege(role, c.oid, a.attnum, 'update')
           )
           and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id')`,
        [ROLES],
      ),
    ).toEqual([]);
  });

  it('has each changed row audited, apart from the two logs, the seals, deliveries, the book of keys and how API keys are used', async () => {
    const rows = await read<{ name: string; shape: number }>(`
      select tgrelid::regclass::text as name, tgtype as shape
      from pg_trigger where tgfoid = 'record_audit_entry'::regproc and tgenabled = 'O'`);
    // after each row that was inserted, deleted or updated
    expect(new Set(rows.map(({ shape }) => shape))).toEqual(new Set([1 + 4 + 8 + 16]));
    const audited = rows.map(({ name }) => name);
    const unaudited = (await tenantTables()).filter((name) => !audited.includes(name));
    expect(unaudited.sort()).toEqual([
      'api_key_uses',
      'audit_entries',
      'audit_seals',
      'event_deliveries',
      'events',
      'idempotency_keys',
    ]);
    expect(audited).toContain('organizations');
  });

  it.each(['events', 'audit_entries', 'audit_seals', 'operator_actions'])(
    'and with it %s is changed by nobody',
    async (table) => {
      expect(
        await read(
          `select role, verb from unnest($1::text[]) as role cross join unnest('{update,delete,truncate}'::text[]) as verb
         where has_table_privilege(role, $2, verb) or verb = 'update' and has_any_column_privilege(role, $2, verb)`,
          [ROLES, table],
        ),
      ).toEqual([]);
    },
  );
});

describe('every function that runs with its owner’s rights', () => {
  it('is on the list, with a narrow owner and narrow callers', async () => {
    const rows = await read<{ name: string; owner: string; callers: string[] }>(
      `select p.oid::regprocedure::text as name, p.proowner::regrole::text as owner,
         array(
           select role from unnest($1::text[]) as role
           where has_function_privilege(role, p.oid, 'execute') and role <> p.proowner::regrole::text order by role
         ) as callers
       from pg_proc p where p.prosecdef and p.pronamespace::regnamespace::text !~ '^pg_'`,
      [ROLES],
    );
    const found = Object.fromEntries(rows.map(({ name, owner, callers }) => [name, [owner, callers]]));
    expect(found).toEqual(DEFINERS);
  });

  it('looks names up where nobody else can put any', async () => {
    const rows = await read<{ config: string[] }>(
      `select proconfig as config from pg_proc where prosecdef and pronamespace = 'public'::regnamespace`,
    );
    // how a plan is made is nobody's right
    const names = (config: string[]): string[] =>
      config.filter((setting) => !/^(plan_cache_mode|enable_seqscan)=/.test(setting));
    for (const { config } of rows) expect(names(config)).toEqual(['search_path=pg_catalog, pg_temp']);
    expect(
      await read(
        `select role from unnest($1::text[]) as role
         where has_schema_privilege(role, 'public', 'create')
           or has_database_privilege(role, current_database(), 'create, temporary')`,
        [[...ROLES, 'public']],
      ),
    ).toEqual([]);
  });

  it('and every other one of ours, is nobody’s by default', async () => {
    expect(
      await read(`
        select p.oid::regprocedure from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where p.pronamespace = 'public'::regnamespace and a.grantee = 0`),
    ).toEqual([]);
  });

  it('belongs to a role that owns and can do nothing else', async () => {
    const owners = ['tollhouse_doorkeeper', 'tollhouse_auditor'];
    expect(
      await read(
        `select rolname from pg_roles where rolname = any ($1)
           and (rolcanlogin or rolsuper or rolbypassrls or rolinherit or rolcreaterole or rolcreatedb or rolreplication)`,
        [owners],
      ),
    ).toEqual([]);
    expect(
      await read(
        `select r.rolname, d.classid::regclass from pg_shdepend d join pg_roles r on r.oid = d.refobjid
         where d.deptype = 'o' and r.rolname = any ($1) and d.classid <> 'pg_proc'::regclass`,
        [owners],
      ),
    ).toEqual([]);
    expect(
      await read(`select pg_get_userbyid(roleid) from pg_auth_members where pg_get_userbyid(member) = any ($1)`, [
        owners,
      ]),
    ).toEqual([]);
  });
});
