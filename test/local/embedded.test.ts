import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres, startEphemeralPostgres } from '../../src/database/embedded.ts';
import { claimFolder, type LocalFolder } from '../../src/local/folder.ts';
import { LocalError } from '../../src/local/localError.ts';
import { identifyProcess } from '../../src/local/process.ts';
import { ask, clearLeftovers, leftovers, listen, makeRoot, pidOf, until } from './children.ts';

afterAll(clearLeftovers);

const log = listen();
// The tests tell one story in one folder: making a database takes a second, opening it a twentieth.
const folder: LocalFolder = await claimFolder(makeRoot(), log);
const lockFile = join(folder.dataPath, 'postgres/data/postmaster.pid');

async function start(where: LocalFolder = folder): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder: where, log });
  leftovers.push(server.stop);
  return server;
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data from start to start, and leaves nothing running between', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    const pid = pidOf(folder.dataPath, 'postgres');
    await Promise.all([first.stop(), first.stop()]);
    expect(identifyProcess(pid)).toBeNull();
    await expect(ask(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('is a superuser’s, of code point order, on the loopback address alone and behind a password', async () => {
    const server = await start();
    expect(
      await ask(
        server.url,
        `select current_user as who, current_setting('listen_addresses') as listens,
           current_setting('unix_socket_directories') as sockets, datlocprovider::text || ' ' || datlocale as collation,
           current_setting('server_encoding') as encoding, current_setting('timezone') as zone
         from pg_database where datname = current_database()`,
      ),
    ).toEqual([
      { who: 'postgres', listens: '127.0.0.1', sockets: '', collation: 'b C.UTF-8', encoding: 'UTF8', zone: 'UTC' },
    ]);
    expect(server.url).toContain(`@127.0.0.1:${server.port}/`);
    await expect(ask(server.url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow('password authentication');
    await server.stop();
  });

  it('runs beside that of another folder, and neither opens to the other’s password', async () => {
    const other = await claimFolder(makeRoot(), log);
    const [one, another] = await Promise.all([start(), start(other)]);
    expect(another.port).not.toBe(one.port);
    await expect(ask(one.url.replace(String(one.port), String(another.port)), 'select 1')).rejects.toThrow('password');
    expect(await ask(another.url, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
    await Promise.all([one.stop(), another.stop()]);
  });

  it('comes back after it was killed itself, with what was committed', async () => {
    const killed = await start();
    await ask(killed.url, 'update kept set answer = 43');
    process.kill(pidOf(folder.dataPath, 'postgres'), 'SIGKILL');
    await until(() => log.sentences.some((sentence) => sentence.includes('ended by itself')));
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await ask(server.url, 'select answer from kept')).toEqual([{ answer: 43 }]);
    await killed.stop();
    expect(await ask(server.url, 'select answer from kept')).toEqual([{ answer: 43 }]);
    await server.stop();
  });

  it('is not kept from starting by the lock of a dead one whose number another process has now', async () => {
    const server = await start();
    const lock = readFileSync(lockFile, 'utf8');
    await server.stop();
    writeFileSync(lockFile, lock.replace(/^\d+/, String(process.pid)));
    const again = await start();
    expect(again.adopted).toBe(false);
    expect(await ask(again.url, 'select answer from kept')).toEqual([{ answer: 43 }]);
    await again.stop();
  });

  it('is taken over by its lock when only its record was lost', async () => {
    const left = await start();
    rmSync(join(folder.dataPath, 'postgres.json'));
    const found = await start();
    expect(found).toMatchObject({ adopted: true, port: left.port });
    await found.stop();
    await expect(ask(left.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('that cannot start says what it said, and what to do without a password', async () => {
    const version = join(folder.dataPath, 'postgres/data/PG_VERSION');
    const now = readFileSync(version, 'utf8');
    writeFileSync(version, '9.6\n');
    await expect(start()).rejects.toThrow(/did not start; it said: .*9\.6/s);
    writeFileSync(version, now);
    rmSync(join(folder.dataPath, 'postgres/password'));
    await expect(start()).rejects.toThrow(LocalError);
    await expect(start()).rejects.toThrow('remove the folder to begin a new one');
  });
});

describe('an ephemeral PostgreSQL', () => {
  it('holds two hundred clients, and takes its data with it', async () => {
    const server = await startEphemeralPostgres();
    const [row] = await ask(server.adminUrl, `select current_setting('max_connections') as most, version()`);
    expect(row).toMatchObject({ most: '200' });
    const [place] = await ask(server.adminUrl, 'show data_directory');
    const data = String(place?.data_directory);
    expect(readFileSync(join(data, 'PG_VERSION'), 'utf8')).toMatch(/^\d+/);
    await Promise.all([server.stop(), server.stop()]);
    expect(() => readFileSync(join(data, '..', 'password'))).toThrow('ENOENT');
  });
});
