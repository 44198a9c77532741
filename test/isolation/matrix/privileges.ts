import { ROLE_OF } from '../actors.ts';
import { VERBS } from '../declarations/law.ts';
import type { Subject } from './asking.ts';
import type { Difference } from './differences.ts';
import type { Stage } from './stage.ts';

/** Every role that is somebody when a statement runs; PUBLIC is everybody. The owner may do everything. */
export const ROLES: readonly string[] = [
  'public',
  ...new Set(Object.values(ROLE_OF).filter((role) => role !== ROLE_OF.owner)),
];

/** The verbs that are granted for single columns. */
const BY_COLUMN = ['select', 'insert', 'update'] as const;

/** What is granted on a table, by column where it can be, that is not declared; and the other way round. */
export async function privilegeDifferencesOf(
  { client, subjects }: Stage,
  table: string,
  roles: readonly string[] = ROLES,
): Promise<readonly Difference[]> {
  const { relation, law } = subjects.get(table) as Subject;
  const { rows } = await client.query<{ role: string; verb: string; what: string }>(
    `/* readPrivileges */
    select role, verb, column_name as what
    from unnest($2::text[]) as role, unnest($3::text[]) as verb, unnest($4::text[]) as column_name
    where has_column_privilege(role, $1, column_name, verb)
    union all
    select role, verb, ''
    from unnest($2::text[]) as role, unnest('{delete,truncate,references,trigger}'::text[]) as verb
    where has_table_privilege(role, $1, verb)`,
    [table, roles, BY_COLUMN, relation.columns],
  );
  const found = new Set(rows.map(({ role, verb, what }) => `${role} ${verb} ${what}`));
  const declared = new Set(
    roles.flatMap((role) =>
      VERBS.flatMap((verb) => {
        const columns = [...law.columnsOf(role, verb)];
        if (verb === 'delete') return columns.length > 0 ? [`${role} delete `] : [];
        return columns.map((column) => `${role} ${verb} ${column}`);
      }),
    ),
  );
  const difference = (privilege: string, expected: string, actual: string): Difference => {
    const [actor = '', ...verb] = privilege.trim().split(' ');
    return {
      table,
      actor,
      scene: 'the catalog',
      verb: `be granted ${verb.join(' ')}`,
      tenant: '',
      expected,
      found: actual,
    };
  };
  return [
    ...[...found].filter((each) => !declared.has(each)).map((each) => difference(each, 'no', 'yes')),
    ...[...declared].filter((each) => !found.has(each)).map((each) => difference(each, 'yes', 'no')),
  ];
}
