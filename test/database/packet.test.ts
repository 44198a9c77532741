import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendPacket } from '../../src/database/packet.ts';
import type { Scene } from '../../src/database/scene.ts';
import { withSession } from '../../src/database/session.ts';
import { newId } from '../../src/kernel/ids.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { memberScene, seedTenants, type Tenant } from '../support/tenants.ts';
import { CLEAN, codeOf, type DataPath, openDataPath } from './dataPath.ts';

let database: TestDatabase;
let one: Tenant;
let other: Tenant;
let path: DataPath;

beforeAll(async () => {
  database = await freshDatabase();
  const { tenants } = await seedTenants(database.adminUrl, { tenants: 2 });
  [one, other] = tenants as [Tenant, Tenant];
});
afterAll(() => database.drop());

beforeEach(() => {
  path = openDataPath(database.gatewayUrl);
});
afterEach(() => path.close());

const TITLES = 'select title from payment_links order by title';
const admin = (text: string): Promise<pg.QueryResult> => withSession(database.adminUrl, (client) => client.query(text));

describe('a packet', () => {
  it('carries the settings and the statement in one round trip', async () => {
    const { rows } = await path.send(memberScene(one), TITLES);
    expect(rows.flat()).toEqual([0, 1, 2].map((index) => `${one.marker} link ${index}`));
    expect(path.packets.map((statements) => statements.length)).toEqual([2]);
  });

  it('answers columns, types and counts as pg does', async () => {
    const text = `select 1 as n, null as nothing, true as yes, '{1,2}'::int[] as list, 'x'::text as same, 'y' as same
      from payment_links`;
    const ours = await path.send(memberScene(one), text);
    const theirs = await withSession(database.adminUrl, (client) =>
      client.query({ text: text.replace('payment_links', 'generate_series(1, 3)'), rowMode: 'array' }),
    );
    expect(ours.rows).toEqual(theirs.rows);
    expect(ours.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }))).toEqual(
      theirs.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    );
    expect([ours.command, ours.rowCount]).toEqual([theirs.command, theirs.rowCount]);
  });

  it('answers a statement without columns, one without text, and the same ones again', async () => {
    for (const _ of [1, 2]) {
      const updated = await path.send(memberScene(one), "update sessions set end_reason = 'x' where false");
      expect(updated).toMatchObject({ command: 'UPDATE', rowCount: 0, fields: [], rows: [] });
      expect(await path.send(memberScene(one), '')).toMatchObject({ fields: [], rows: [] });
    }
  });

  it('is refused outside any scene, before it reaches the network', async () => {
    const types = pg.types as Parameters<typeof path.pool.query>[0]['types'];
    expect(await codeOf(path.pool.query({ text: TITLES, types }))).toMatch('outside any scene');
    expect(await codeOf(path.pool.connect())).toMatch('outside any scene');
    expect(path.packets).toEqual([]);
    expect(path.pool.totalCount).toBe(0);
  });

  it('leaves the same connection clean and usable, whatever became of it', async () => {
    const stranger = { ...memberScene(one), sessionId: newId() };
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const outcomes: [string, unknown, () => Promise<unknown>][] = [
      ['answered', { answer: expect.anything() }, () => path.send(memberScene(one), TITLES)],
      [
        'failed while running',
        '22012',
        () => path.send(memberScene(one), 'select 1 / count(*) from users where false'),
      ],
      [
        'failed after rows',
        '22012',
        () => path.send(memberScene(one), 'select 1 / (3 - n) from generate_series(1, 9) n'),
      ],
      ['failed while entering', 'TH401', () => path.send(stranger, TITLES)],
      ['was no SQL', '42601', () => path.send(memberScene(one), 'selec 1')],
      ['named what is not there', '42P01', () => path.send(memberScene(one), 'select * from nowhere')],
      ['had a value of a wrong type', '22P02', () => path.send(memberScene(one), 'select $1::uuid', ['no uuid'])],
      ['had too few values', '08P01', () => path.send(memberScene(one), 'select $1::int, $2::int', [1])],
      [
        'had a value that cannot be sent',
        expect.stringMatching('circular'),
        () => path.send(memberScene(one), 'select $1::json', [circle]),
      ],
      ['reached for a table of nobody', '42501', () => path.send(memberScene(one), 'select * from rate_limits')],
    ];
    const before = await path.leftovers();
    expect(before).toMatchObject(CLEAN);
    for (const [outcome, code, run] of outcomes) {
      expect([outcome, await codeOf(run())]).toEqual([outcome, code]);
      expect([outcome, await path.leftovers()]).toEqual([outcome, before]);
      const { rows } = await path.send(memberScene(other), TITLES);
      expect([outcome, rows[0]]).toEqual([outcome, [`${other.marker} link 0`]]);
    }
  });

  it('is undone as a whole by an error in its last statement', async () => {
    const insert = (name: string) => ({
      text: 'insert into users (display_name) values ($1)',
      values: [name],
    });
    const failure = await withSession(database.adminUrl, (client) =>
      codeOf(
        sendPacket(client, [insert('Undone'), insert('Undone'), { text: 'select 1/0', values: [] }], pg.types as never),
      ),
    );
    expect(failure).toBe('22012');
    expect((await admin("select from users where display_name = 'Undone'")).rowCount).toBe(0);
    const success = await withSession(database.adminUrl, (client) =>
      sendPacket(client, [insert('Done'), insert('Done')], pg.types as never),
    );
    expect(success).toMatchObject([{ command: 'INSERT', rowCount: 1 }]);
    expect((await admin("select from users where display_name = 'Done'")).rowCount).toBe(2);
  });

  it('fails twice with the same error when its statement cannot be parsed', async () => {
    const attempts = [1, 2].map(() => path.send(memberScene(one), 'select nothing').catch((error) => error));
    const [first, second] = (await Promise.all(attempts)) as [pg.DatabaseError, pg.DatabaseError];
    expect(first).toMatchObject({ code: '42703', position: '8' });
    expect(second).toMatchObject({ code: '42703', position: '8', message: first.message });
  });

  it('is not taken down by a value that its reader cannot read', async () => {
    const types = {
      getTypeParser: () => () => {
        throw new Error('unreadable');
      },
    };
    expect(await codeOf(path.send(memberScene(one), 'select title from payment_links', [], types))).toBe('unreadable');
    expect(await path.leftovers()).toMatchObject(CLEAN);
  });
});

describe('prepared statements', () => {
  const prepared = (): Promise<string[]> =>
    path.lend(async (client) => {
      const { rows } = await client.query<{ name: string }>('select name from pg_prepared_statements');
      return rows.map(({ name }) => name);
    });

  it('are prepared once and used again', async () => {
    for (const _ of [1, 2, 3]) await path.send(memberScene(one), TITLES);
    expect(await prepared()).toHaveLength(2);
  });

  it('are kept to a number, the ones that are used staying, errors or not', async () => {
    const scene = memberScene(one);
    for (let n = 0; n < 320; n += 1) {
      const { rows } = await path.send(scene, `select ${n} as n`);
      expect(rows).toEqual([[n]]);
      if (n % 10 === 0) await path.send({ ...scene, sessionId: newId() }, `select -${n} as n`).catch(() => {});
      if (n % 7 === 0) await path.send(scene, `select nothing_${n}`).catch(() => {});
    }
    expect((await prepared()).length).toBeLessThanOrEqual(300);
    expect((await prepared()).length).toBeGreaterThan(290);
    expect(await prepared()).toContain('tollhouse_1');
    expect((await path.send(scene, 'select 0 as n')).rows).toEqual([[0]]);
  });

  it('that the server has lost are prepared again, in one more round trip', async () => {
    await path.send(memberScene(one), TITLES);
    const before = await path.leftovers();
    await path.lend((client) => client.query('deallocate all'));
    path.packets.length = 0;
    expect((await path.send(memberScene(one), TITLES)).rows).toHaveLength(3);
    expect(path.packets).toHaveLength(2);
    expect(await path.leftovers()).toEqual(before);
    await path.send(memberScene(one), TITLES);
    expect(path.packets).toHaveLength(3);
  });

  it('whose table has changed are prepared again, and nothing is left of the old ones', async () => {
    const text = 'select * from payment_links order by title';
    await path.send(memberScene(one), TITLES);
    const before = await path.send(memberScene(one), text);
    await admin('alter table payment_links add column colour text');
    path.packets.length = 0;
    const after = await path.send(memberScene(one), text);
    expect(after.fields.map(({ name }) => name)).toEqual([...before.fields.map(({ name }) => name), 'colour']);
    expect(path.packets).toHaveLength(2);
    for (const again of [text, TITLES, 'select 1', text]) await path.send(memberScene(one), again);
    expect(path.packets).toHaveLength(6);
    expect(await prepared()).toHaveLength(4);
    await admin('alter table payment_links drop column colour');
  });

  it('that are stale are healed at the beginning of a transaction, and later fail it once', async () => {
    const scene: Scene = memberScene(one);
    const read = (first: string): Promise<unknown> =>
      path.as(scene, () =>
        path.client.$transaction(async (tx) => {
          await tx.$queryRawUnsafe(first);
          return tx.$queryRawUnsafe('select * from payment_link_accepts');
        }),
      );
    const change = (text: string): Promise<unknown> => admin(`alter table payment_link_accepts ${text}`);
    const same = 'select * from payment_link_accepts';

    expect(await read('select 1')).toHaveLength(3);
    await change('add column colour text');
    expect(await read(same)).toHaveLength(3);
    await path.lend((client) => client.query('deallocate all'));
    expect(await read(same)).toHaveLength(3);

    await change('drop column colour');
    await expect(read('select 1')).rejects.toThrow('cached plan must not change result type');
    expect(await path.leftovers()).toMatchObject(CLEAN);
    expect(await read('select 1')).toHaveLength(3);
  });
});
