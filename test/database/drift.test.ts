import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSession } from '../../src/database/session.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { findDrift, readSchemaFiles } from '../support/drift.ts';

describe('drift between the migrated database and the model of Prisma', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database?.drop());

  it('is none', async () => {
    expect(await findDrift(database.adminUrl)).toBe('');
  });

  it('is seen when the model has a field that the database has not', async () => {
    const files = readSchemaFiles().map((file) => ({
      ...file,
      content: file.content.replace(/^model User \{$/m, 'model User {\n  nickname String?'),
    }));
    expect(await findDrift(database.adminUrl, files)).toContain('nickname');
  });

  it.each([
    ['a column', 'alter table users add column nickname text', 'nickname'],
    ['an index', 'drop index sessions_root_id_idx', 'sessions'],
    ['a default', 'alter table sessions alter column generation drop default', 'generation'],
    ['an enum', `alter type user_status add value 'RETIRED'`, 'RETIRED'],
    ['a foreign key', 'alter table memberships drop constraint memberships_user_id_fkey', 'memberships'],
  ])('is seen when the database differs in %s', async (_, change, named) => {
    const changed = await freshDatabase();
    try {
      await withSession(changed.adminUrl, (client) => client.query(change));
      expect(await findDrift(changed.adminUrl)).toContain(named);
    } finally {
      await changed.drop();
    }
  });
});
