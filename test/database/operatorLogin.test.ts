import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertGatewayRole, assertOperatorRole } from '../../src/database/assertGatewayRole.ts';
import { ensureRoles } from '../../src/database/roles.ts';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { followOperations } from '../support/operations.ts';
import { startPostgres } from '../support/postgres.ts';

async function rowsOf<Row>(url: string, text: string): Promise<Row[]> {
  return withSession(url, async (client) => (await client.query(text)).rows as Row[]);
}

describe('the login of operators', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database?.drop());

  it('is accepted as the migrations make it, and alone can become the operator', async () => {
    await assertOperatorRole(database.operatorUrl);
    await rowsOf(database.operatorUrl, 'set role tollhouse_operator');
    for (const url of [database.gatewayUrl, database.ownerUrl]) {
      await expect(rowsOf(url, 'set role tollhouse_operator')).rejects.toThrow('permission denied');
    }
  });

  it('can become nobody else', async () => {
    for (const role of ['tollhouse_member', 'tollhouse_worker', 'tollhouse_doorkeeper', 'tollhouse_owner']) {
      await expect(rowsOf(database.operatorUrl, `set role ${role}`)).rejects.toThrow('permission denied');
    }
  });

  it('is refused where it is the gateway’s, and the gateway’s where it is the operator’s', async () => {
    await expect(assertOperatorRole(database.gatewayUrl)).rejects.toThrow(
      /it is a member of tollhouse_member[\s\S]*OPERATOR_DATABASE_URL must log in as the role/,
    );
    await expect(assertGatewayRole(database.operatorUrl)).rejects.toThrow('it is a member of tollhouse_operator');
    await expect(assertOperatorRole(database.adminUrl)).rejects.toThrow('it is a superuser');
  });

  it('gets the password of its URL when it is made, and is made for nobody else', async () => {
    const server = await startPostgres();
    try {
      const urls = await followOperations(server.adminUrl);
      const operatorUrl = Object.assign(new URL(urls.gatewayUrl), {
        username: 'tollhouse_operator_login',
        password: 'operator-secret',
      }).href;
      await expect(ensureRoles({ ...urls, operatorUrl: urls.gatewayUrl })).rejects.toThrow(
        'OPERATOR_DATABASE_URL must log in as tollhouse_operator_login, not as tollhouse_gateway.',
      );
      await ensureRoles({ ...urls, operatorUrl });
      await rowsOf(server.adminUrl, 'grant connect on database tollhouse to tollhouse_operator_login');
      expect(await rowsOf(operatorUrl, 'select current_user as name')).toEqual([{ name: 'tollhouse_operator_login' }]);
    } finally {
      await server.stop();
    }
  });
});
