import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalFolder } from '../../local/folder.ts';
import { startGuarded } from '../../local/guard.ts';
import { LocalError } from '../../local/localError.ts';
import type { LocalLog } from '../../local/log.ts';
import { giveToOwner } from '../../local/owner.ts';
import { adoptServer, type LocalServer, type ServerPlace, startServer } from '../../local/server.ts';
import { askAnvil, keepChain } from './anvilKeeper.ts';
import { PASSING_GAS_LIMIT, prepareState, setAside } from './anvilState.ts';

/** The checkout's own chain: anvil, chain id 31337. */
export interface LocalChain {
  /** Its JSON-RPC, by HTTP and by WebSocket. */
  readonly url: string;
  /** Whether it was found running, left behind by a gateway that was killed. */
  readonly adopted: boolean;
  /** Saves the chain and ends anvil; as often as you like. */
  stop(): Promise<void>;
}

/**
 * Starts the local chain of this folder where it stood, or takes over the one that a killed gateway left running.
 * @param given.binary an anvil to use instead of the npm package's
 * @returns null where no anvil can run; the log says so
 * @throws LocalError when the anvil that was asked for cannot run
 */
export async function startAnvil(given: {
  readonly folder: LocalFolder;
  readonly log: LocalLog;
  readonly binary?: string | undefined;
}): Promise<LocalChain | null> {
  const { folder, log } = given;
  const place: ServerPlace = { name: 'anvil', folder, log, signals: ['SIGINT', 'SIGTERM'], patience: 5_000 };
  const home = join(folder.dataPath, 'anvil');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  giveToOwner(home);
  const left = await adopt(place);
  if (left) {
    log.info({ url: left.url(), pid: left.pid }, 'Took over the local chain that a killed start left running.');
    return own(left, home, log);
  }
  const binary = given.binary ?? installedAnvil();
  if (!binary || !runs(binary)) {
    if (given.binary) throw new LocalError(`ANVIL_BIN names ${given.binary}, which does not run here.`);
    log.warn(`No local chain: there is no anvil for ${SYSTEM} that runs here. ANVIL_BIN can name one.`);
    return null;
  }
  const server = await start(place, binary, home);
  log.info({ url: server.url(), pid: server.pid }, `The local chain runs at ${server.url()}.`);
  return own(server, home, log);
}

function own(server: LocalServer, home: string, log: LocalLog): LocalChain {
  const url = server.url() ?? '';
  const letGo = keepChain({ url, file: stateIn(home), log });
  let ending: Promise<void> | undefined;
  return {
    url,
    adopted: server.adopted,
    stop() {
      // Anvil writes its state as it ends.
      ending ??= letGo().then(server.stop);
      return ending;
    },
  };
}

function stateIn(home: string): string {
  return join(home, 'state.json');
}

const SYSTEM = `${process.platform}-${process.arch}`;

function installedAnvil(): string | null {
  try {
    const name = SYSTEM.replace('x64', 'amd64');
    return createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${name}/bin/anvil`);
  } catch {
    return null;
  }
}

function runs(binary: string): boolean {
  return spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0;
}

const CHAIN: readonly (readonly [flag: string, value: string])[] = [
  ['--host', '127.0.0.1'],
  ['--port', '0'],
  ['--chain-id', '31337'],
];

/**
 * Blocks by the second are the keeper's (anvilKeeper.ts says why), so `--block-time` is not among these. Without a
 * limit anvil keeps the state after each of 1,500 blocks in memory, up to a gigabyte and more, and writes older ones to
 * the home folder. 128 let a wallet ask about the last two minutes, and let a chain be reorganised that deep. Its own
 * periodic dumps would tear when it is killed; ours are whole, and its last one, on ending, is its own.
 */
const KEEPING = ['--prune-history', '128', '--state-interval', '86400'];

async function start(place: ServerPlace, binary: string, home: string): Promise<LocalServer> {
  const file = stateIn(home);
  const cache = join(home, 'cache');
  for (let loads = prepareState(file, place.log); ; loads = false) {
    rmSync(cache, { recursive: true, force: true });
    // A genesis block of the same second would be the same block; its gas limit makes each new chain another one.
    const gasLimit = PASSING_GAS_LIMIT + (loads ? 0 : randomInt(1, 1_000_000));
    const server = await startServer({
      ...place,
      command: binary,
      arguments: [...CHAIN.flat(), ...KEEPING, '--gas-limit', String(gasLimit), '--state', file, '--cache-path', cache],
      cwd: home,
      drops: false,
    });
    const url = await listens(server);
    if (url) {
      server.remember(url);
      return server;
    }
    const said = server.said().trim().slice(-1500) || 'nothing';
    await server.stop();
    if (!loads) throw new LocalError(`The local chain did not start; anvil said: ${said}`);
    setAside(file, place.log, said);
  }
}

async function adopt(place: ServerPlace): Promise<LocalServer | null> {
  const server = adoptServer(place);
  if (!server) return null;
  const url = server.url() ?? (await listens(server));
  if (url && (await answers(url))) {
    server.remember(url);
    return server;
  }
  // It was just ending, or it hangs.
  await server.stop();
  return null;
}

const PATIENCE = 30_000;

/** The address that anvil says it listens on; null when it ends before, or takes too long. */
async function listens(server: { isRunning(): boolean; said(): string }): Promise<string | null> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(10)) {
    const address = /Listening on (\S+)\n/.exec(server.said())?.[1];
    if (address) return `http://${address}`;
    if (!server.isRunning()) return null;
  }
  return null;
}

async function answers(url: string): Promise<boolean> {
  for (let tries = 3; tries > 0; tries -= 1) {
    try {
      if ((await askAnvil<string>(url, 'eth_chainId')) === '0x7a69') return true;
    } catch {
      await sleep(200);
    }
  }
  return false;
}

/**
 * Starts an anvil with nothing saved, for tests; it ends within moments when this process does, killed or not.
 * @param given.flags go after the usual ones (a free port of 127.0.0.1, chain id 31337, a block for each transaction):
 * `['--block-time', '1', '--mixed-mining']`; one that is among the usual ones takes its place
 * @throws LocalError where no anvil can run
 */
export async function startEphemeralAnvil(
  given: { readonly flags?: readonly string[]; readonly binary?: string | undefined } = {},
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const binary = given.binary ?? installedAnvil();
  if (!binary) throw new LocalError(`There is no anvil for ${SYSTEM} here: set ANVIL_BIN.`);
  const flags = given.flags ?? [];
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'tollhouse-anvil-'));
  const usual = [...CHAIN, ['--cache-path', join(home, 'cache')]].filter(([flag]) => !flags.includes(flag ?? ''));
  const server = await startGuarded({
    command: binary,
    arguments: [...usual.flat(), ...flags],
    folder: home,
    keeps: false,
    signal: 'INT',
    account: null,
  });
  const url = await listens(server);
  if (url) return { url, stop: server.stop };
  await server.stop();
  throw new LocalError(`An ephemeral anvil did not start; it said: ${server.said().trim() || 'nothing'}`);
}
