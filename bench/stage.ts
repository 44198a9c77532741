import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withSession } from '../src/database/session.ts';
import { generateTokenKey } from '../src/identity/providers/tokenKeys.ts';
import { type BenchDatabase, openBenchDatabase } from './database.ts';
import type { Operation } from './faces/face.ts';
import type { LoadMessage } from './load.ts';
import type { Latency, Options } from './options.ts';
import { type Child, CORES, pin, startChild } from './processes.ts';
import type { ProxyMessage } from './proxy.ts';
import { picksFor, writeRequest } from './requests.ts';
import { type System, startSystem } from './systems.ts';
import { ISSUER, readWorld, type World } from './world.ts';

/** Everything that a run needs, started. */
export interface Stage {
  readonly database: BenchDatabase;
  readonly world: World;
  readonly proxy: Child;
  readonly load: Child;
  readonly systems: Readonly<Record<Latency, readonly System[]>>;
  /** How much longer `select 1` takes through the proxy with its delay than without the proxy, in milliseconds. */
  readonly addedRoundTripMs: number;
}

/** The proxy's delay in each direction, in milliseconds. */
export const DELAY_MS = 1;

/** The connections that each system may have. */
const POOL_SIZE = 10;

/**
 * Starts PostgreSQL, the proxy, the generator and the systems: one of each at the database, and one behind the proxy.
 * @param running is added to as things start, so that the caller can end them whatever happens
 */
export async function openStage(options: Options, running: { stop(): Promise<void> }[]): Promise<Stage> {
  const kept = async <Part extends { stop(): Promise<void> }>(starting: Promise<Part>): Promise<Part> => {
    const part = await starting;
    running.push(part);
    return part;
  };
  installPeers();
  const database = await kept(openBenchDatabase());
  pin(database.postmaster, CORES.rest);
  const tokenKeys = [generateTokenKey()];
  const world = await readWorld(database.adminUrl, tokenKeys);
  const proxy = await kept(startChild(new URL('proxy.ts', import.meta.url), { core: CORES.rest }));
  const load = await kept(startChild(new URL('load.ts', import.meta.url), { core: CORES.rest }));
  const addedRoundTripMs = await measureDelay(proxy, database.gatewayUrl);
  const systems: Record<Latency, System[]> = { near: [], far: [] };
  for (const latency of ['near', 'far'] as const) {
    for (const name of options.systems) {
      const databaseUrl =
        latency === 'far' ? await throughProxy(proxy, name, database.gatewayUrl) : database.gatewayUrl;
      const settings = { databaseUrl, poolSize: POOL_SIZE, tokenKeys, issuer: ISSUER };
      const system = await startSystem(name, settings);
      running.push(system.child);
      systems[latency].push(system);
      for (const operation of options.operations) await keepRequests(load, latency, system, operation, world);
    }
  }
  return { database, world, proxy, load, systems, addedRoundTripMs };
}

/** Under which name the generator keeps the requests of an operation. */
export function requestsName(latency: Latency, system: string, operation: Operation): string {
  return [latency, system, operation].join(' ');
}

async function keepRequests(
  load: Child,
  latency: Latency,
  { name, port }: System,
  operation: Operation,
  world: World,
): Promise<void> {
  const requests = picksFor(operation, world).map((pick) => writeRequest(name, operation, pick));
  await load.ask({ kind: 'keep', name: requestsName(latency, name, operation), port, requests } satisfies LoadMessage);
}

async function throughProxy(proxy: Child, name: string, url: string): Promise<string> {
  const { port } = await proxy.ask<{ port: number }>({
    kind: 'open',
    name,
    port: Number(new URL(url).port),
  } satisfies ProxyMessage);
  return Object.assign(new URL(url), { port: String(port) }).href;
}

const PINGS = 200;

async function measureDelay(proxy: Child, url: string): Promise<number> {
  const behind = await throughProxy(proxy, 'delay', url);
  const direct = await ping(url);
  await proxy.ask({ kind: 'delay', ms: DELAY_MS } satisfies ProxyMessage);
  const delayed = await ping(behind);
  await proxy.ask({ kind: 'delay', ms: 0 } satisfies ProxyMessage);
  return delayed - direct;
}

/** The median of many round trips, in milliseconds. */
async function ping(url: string): Promise<number> {
  return withSession(url, async (client) => {
    const times: number[] = [];
    for (let count = 0; count < PINGS; count += 1) {
      const begun = performance.now();
      await client.query('select 1');
      times.push(performance.now() - begun);
    }
    return times.sort((one, other) => one - other)[PINGS / 2] ?? Number.NaN;
  });
}

/** Installs the peers, which have a lock file of their own, since nothing else here needs them. */
export function installPeers(): void {
  const folder = fileURLToPath(new URL('peers', import.meta.url));
  if (existsSync(`${folder}/node_modules/.package-lock.json`)) return;
  console.log('Installing the peers …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('npm ci failed in bench/peers.');
}
