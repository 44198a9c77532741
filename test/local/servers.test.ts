import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type LocalChain, startAnvil } from '../../src/chain/providers/anvil.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts';
import { claimFolder, type LocalFolder } from '../../src/local/folder.ts';
import { identifyProcess } from '../../src/local/process.ts';
import {
  ask,
  type Child,
  clearLeftovers,
  leftovers,
  listen,
  makeRoot,
  pidOf,
  processesOf,
  startChild,
  until,
} from './children.ts';

afterAll(clearLeftovers);

interface Servers {
  readonly postgres: string;
  readonly chain: string;
}

/** Starts the servers in a process of their own, as `npm start` does. */
async function startBeside(kind: 'folder' | 'ephemeral', root = ''): Promise<{ child: Child; servers: Servers }> {
  const child = startChild('starter', kind, root);
  leftovers.push(child.kill);
  return { child, servers: JSON.parse(await child.line()) as Servers };
}

/** Starts the servers in this process. */
async function startHere(
  root: string,
): Promise<{ folder: LocalFolder; postgres: EmbeddedPostgres; chain: LocalChain | null; stop(): Promise<void> }> {
  const log = listen();
  const folder = await claimFolder(root, log);
  const chain = await startAnvil({ folder, log });
  leftovers.push(() => chain?.stop());
  const postgres = await startEmbeddedPostgres({ folder, log });
  const stop = async (): Promise<void> => {
    await Promise.all([chain?.stop(), postgres.stop()]);
    await folder.release();
  };
  leftovers.push(stop);
  return { folder, postgres, chain, stop };
}

function pidsIn(root: string): number[] {
  return [pidOf(join(root, '.tollhouse'), 'postgres'), pidOf(join(root, '.tollhouse'), 'anvil')];
}

function running(pids: readonly number[]): number[] {
  return pids.filter((pid) => identifyProcess(pid) !== null);
}

async function blockNumber(url: string): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return Number(((await response.json()) as { result: string }).result);
}

// One story in one folder.
const root = makeRoot();

describe('the local servers', () => {
  it('survive the death of the gateway, and belong to the next one', async () => {
    const { child, servers } = await startBeside('folder', root);
    await ask(servers.postgres, 'create table kept as select 42 as answer');
    const pids = pidsIn(root);
    await expect(startHere(root)).rejects.toThrow(`already runs in this folder (process ${child.process.pid}`);
    await child.kill();
    expect(running(pids)).toEqual(pids);

    const next = await startHere(root);
    expect(next.postgres).toMatchObject({ adopted: true, url: servers.postgres });
    expect(next.chain).toMatchObject({ adopted: true, url: servers.chain });
    expect(await ask(next.postgres.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    const block = await blockNumber(servers.chain);
    await until(async () => (await blockNumber(servers.chain)) > block);
    await next.stop();
    expect(running(pids)).toEqual([]);
  });

  it('are not reached by interrupts of the whole group, however many, and are stopped once', async () => {
    const { child, servers } = await startBeside('folder', root);
    const pids = pidsIn(root);
    const ended = once(child.process, 'exit');
    for (let times = 0; times < 4; times += 1) process.kill(-(child.process.pid ?? 0), 'SIGINT');
    expect(await child.line()).toBe('stopped');
    expect(await ended).toEqual([0, null]);
    expect(running(pids)).toEqual([]);
    await expect(ask(servers.postgres, 'select 1')).rejects.toThrow('ECONNREFUSED');
    expect(readdirSync(join(root, '.tollhouse')).filter((name) => name.endsWith('.json'))).toEqual([]);
  });

  it('killed together with the gateway are started again, with what they had', async () => {
    const { child } = await startBeside('folder', root);
    const pids = pidsIn(root);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await child.kill();
    await until(() => running(pids).length === 0);
    const next = await startHere(root);
    expect(next.postgres.adopted).toBe(false);
    expect(next.chain?.adopted).toBe(false);
    expect(await ask(next.postgres.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await next.stop();
    expect(processesOf(root)).toEqual([]);
  });

  it.each([
    ['makes its database', (path: string) => readdirSync(path).some((name) => name.startsWith('postgres.new.'))],
    ['starts its chain', (path: string) => existsSync(join(path, 'anvil.log'))],
    ['starts its database', (path: string) => existsSync(join(path, 'postgres.json'))],
  ])('of a gateway killed while it %s are in order after the next start', async (_, isSo) => {
    const fresh = makeRoot();
    const child = startChild('starter', 'folder', fresh);
    leftovers.push(child.kill);
    const path = join(fresh, '.tollhouse');
    await until(() => existsSync(path) && isSo(path));
    await child.kill();
    const next = await startHere(fresh);
    expect(await ask(next.postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(running(pidsIn(fresh))).toHaveLength(2);
    expect(readdirSync(path).filter((name) => name.startsWith('postgres.new.'))).toEqual([]);
    await next.stop();
    // The guard of the gateway that was killed needs moments of its own to notice that, and to clear up.
    await until(() => processesOf(fresh).length === 0);
  });

  it('of a test run that is killed end with it, and their folders go', async () => {
    const { child, servers } = await startBeside('ephemeral');
    const [place] = await ask(servers.postgres, 'show data_directory');
    await child.kill();
    await until(() => !existsSync(join(String(place?.data_directory), '..')));
    await until(() =>
      blockNumber(servers.chain).then(
        () => false,
        () => true,
      ),
    );
    await expect(ask(servers.postgres, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });
});
