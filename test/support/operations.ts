import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { withSession } from '../../src/database/session.ts';

/** What an operator has after following docs/operations.md. */
export interface OperatedDatabase {
  readonly ownerUrl: string;
  readonly gatewayUrl: string;
}

/**
 * Runs the SQL that docs/operations.md tells an administrator to run, as an administrator of a managed server: a login
 * that may make roles and databases and is no superuser.
 * @param adminUrl a superuser, who makes that administrator
 */
export async function followOperations(adminUrl: string): Promise<OperatedDatabase> {
  const passwords = { admin: newPassword(), owner: newPassword(), gateway: newPassword() };
  await withSession(adminUrl, (client) =>
    client.query(`create role managed_admin login createrole createdb password ${pg.escapeLiteral(passwords.admin)}`),
  );
  const as = (login: string, password: string, database: string): string =>
    Object.assign(new URL(adminUrl), { username: login, password, pathname: `/${database}` }).href;

  const script = (await documentedSql())
    .replace('owner-password', passwords.owner)
    .replace('gateway-password', passwords.gateway);
  const [first = '', ...connected] = script.split(/^\\connect /m);
  await runEach(as('managed_admin', passwords.admin, 'postgres'), first);
  for (const part of connected) {
    const [database = '', ...statements] = part.split('\n');
    await runEach(as('managed_admin', passwords.admin, database), statements.join('\n'));
  }
  return {
    ownerUrl: as('tollhouse_owner', passwords.owner, 'tollhouse'),
    gatewayUrl: as('tollhouse_gateway', passwords.gateway, 'tollhouse'),
  };
}

/** The block of docs/operations.md between its two markers, without the fence. */
async function documentedSql(): Promise<string> {
  const document = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, block] = /<!-- sql:managed -->\n```sql\n(.*?)```\n<!-- sql:managed -->/s.exec(document) ?? [];
  if (!block) throw new Error('docs/operations.md has lost its block of SQL.');
  return block;
}

/** One by one, since a database cannot be made together with anything else. */
async function runEach(url: string, script: string): Promise<void> {
  await withSession(url, async (client) => {
    for (const statement of script.split(/;$/m).filter((text) => text.trim())) await client.query(statement);
  });
}

function newPassword(): string {
  return randomBytes(18).toString('base64url');
}
