import { randomBytes } from 'node:crypto';
import { newId } from '../../src/kernel/ids.ts';
import type { Pair, Probe } from './probe.ts';

/** The texts that the audit is asked by, by where they go. */
export function auditProbes({
  idPairs,
  admin,
}: {
  /** Global ids of rows. */
  readonly idPairs: () => Pair[];
  /** Reads past the law what is of the other tenant, `$1`. */
  readonly admin: (text: string) => Promise<Record<string, unknown>[]>;
}): Readonly<Record<string, Probe | string>> {
  const filtered = (field: string, type: string, pairs: Probe['pairs']): [string, Probe] => [
    `Organization.auditEntries.filter.${field}`,
    {
      query: `query ($value: ${type}) { organization { auditEntries(filter: { ${field}: $value }) {
        edges { cursor node { id table } } pageInfo { hasNextPage }
      } } }`,
      pairs,
    },
  ];
  const theirs = async (column: string): Promise<Pair[]> => {
    const rows = await admin(
      `select distinct ${column}::text as value from audit_entries
       where organization_id = $1 and ${column} is not null limit 5`,
    );
    return rows.map(({ value }): Pair => [String(value), newId()]);
  };
  return {
    ...Object.fromEntries([
      filtered('row', 'ID', async () => [...idPairs(), ...(await theirs('row_id'))]),
      filtered('actor', 'ID', async () => [...idPairs(), ...(await theirs('user_id'))]),
      filtered('apiKey', 'ID', () => Promise.resolve(idPairs())),
      filtered('requestId', 'String', () => theirs('request_id')),
    ]),
    'Organization.auditEntries.filter.table': 'names nothing: a table, which all tenants have',
    'Organization.auditEntries.filter.from': 'names nothing: a moment',
    'Organization.auditEntries.filter.to': 'names nothing: a moment',
    'Organization.auditVerification.from.position': 'names nothing: a place in the own chain',
    'Organization.auditVerification.from.hash': {
      query: `query ($value: Hex!) { organization { auditVerification(from: { position: "3", hash: $value }) {
        checked position hash complete fault { kind position entryId }
      } } }`,
      pairs: async () =>
        (await admin("select encode(hash, 'hex') as hash from audit_seals where organization_id = $1")).map(
          ({ hash }): Pair => [`0x${hash}`, `0x${randomBytes(32).toString('hex')}`],
        ),
    },
  };
}
