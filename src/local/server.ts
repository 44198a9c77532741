import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalFolder } from './folder.ts';
import { LocalError } from './localError.ts';
import type { LocalLog } from './log.ts';
import { commandOf, endProcess, identifyProcess, isRunning, type ProcessIdentity, signalProcess } from './process.ts';
import { replaceFile } from './replaceFile.ts';

/** Which server of a folder is meant; its record and its log there are named for it. */
export interface ServerPlace {
  readonly name: string;
  readonly folder: LocalFolder;
  readonly log: LocalLog;
  /** Asked to end with each in turn, and killed at last. */
  readonly signals: readonly NodeJS.Signals[];
  /** Milliseconds it gets to obey one signal. */
  readonly patience: number;
}

/** How a server is started. */
export interface ServerPlan extends ServerPlace {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  /** Whether it runs as the folder's account, and not as ours. */
  readonly drops: boolean;
}

/** A running server whose ending is ours. */
export interface LocalServer {
  readonly pid: number;
  /** Whether it was found running, left behind by a gateway that was killed. */
  readonly adopted: boolean;
  /** Where it answers; null until that was remembered. */
  url(): string | null;
  isRunning(): boolean;
  /** What it has said since it was started. */
  said(): string;
  /** Remembers where it answers, for whoever adopts it. */
  remember(url: string): void;
  /** Ends it, once; every call waits for the same ending. */
  stop(): Promise<void>;
}

interface ServerRecord extends ProcessIdentity {
  readonly startedAt: string;
  readonly url: string | null;
}

// The server's process writes its own number into its record before it becomes the server: however soon we are killed
// after making it, the next start finds it.
const RECORDED = 'printf \'{"pid":%d}\' $$ >&3; exec 3>&-; exec "$@"';

/**
 * Starts a server in a process group of its own, so that an interrupt from the terminal does not reach it, writing to
 * a file, so that it survives our sudden death; the next start finds it by its record. Whether it runs is to be asked.
 */
export async function startServer(plan: ServerPlan): Promise<LocalServer> {
  const account = plan.drops ? plan.folder.account : null;
  rmSync(logOf(plan), { force: true });
  // Appending, so that the file can be cut short while the server writes to it.
  const output = openSync(logOf(plan), 'a', 0o600);
  const note = openSync(recordOf(plan), 'w', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', RECORDED, plan.name, plan.command, ...plan.arguments], {
      cwd: plan.cwd,
      detached: true,
      // Nothing of our own environment: no secret, and no PG* or RUST_* variable that would change what it does.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: plan.cwd, LC_ALL: 'C' },
      stdio: ['ignore', output, output, note],
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    });
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    const { pid } = child;
    const identity = identifyProcess(pid) ?? { pid, born: 'and ended at once' };
    const record = { ...identity, startedAt: new Date().toISOString(), url: null };
    writeRecord(plan, record);
    child.unref();
    return own(plan, record, child);
  } catch (cause) {
    throw new LocalError(`A local server cannot be started here (${(cause as Error).message}).`, { cause });
  } finally {
    closeSync(output);
    closeSync(note);
  }
}

/** The server of this place that a killed gateway left running, or null; only one that its record proves to be ours. */
export function adoptServer(place: ServerPlace): LocalServer | null {
  const record = readRecord(place);
  if (record?.pid && record.born === undefined) return adoptProcess(place, record.pid);
  return record?.born !== undefined && isRunning(record as ServerRecord) ? own(place, record as ServerRecord) : null;
}

/** Takes charge of a running process if its command line shows that it serves this folder's data. */
export function adoptProcess(place: ServerPlace, pid: number): LocalServer | null {
  const identity = identifyProcess(pid);
  if (!identity || !commandOf(pid).includes(place.folder.dataPath)) return null;
  const record = { ...identity, startedAt: new Date().toISOString(), url: null };
  writeRecord(place, record);
  return own(place, record);
}

function own(place: ServerPlace, record: ServerRecord, child?: ChildProcess): LocalServer {
  let known = record;
  let ending: Promise<void> | undefined;
  const trimming = setInterval(() => trimLog(place), TRIM_INTERVAL).unref();
  const server: LocalServer = {
    pid: record.pid,
    adopted: child === undefined,
    url: () => known.url,
    isRunning: () => isRunning(record),
    said: () => readLog(place),
    remember(url) {
      known = { ...known, url };
      writeRecord(place, known);
    },
    stop() {
      ending ??= end();
      return ending;
    },
  };
  async function end(): Promise<void> {
    await endProcess(record, place.signals, place.patience);
    clearInterval(trimming);
    owned.delete(server);
    rmSync(recordOf(place), { force: true });
  }
  child?.once('exit', (code, signal) => {
    if (ending || known.url === null) return;
    const facts = { server: place.name, code, signal, said: readLog(place).slice(-2000) };
    place.log.error(facts, `The local ${place.name} ended by itself; start Tollhouse again.`);
  });
  onExit(server, () => signalProcess(record, place.signals[0] ?? 'SIGTERM'));
  return server;
}

const owned = new Map<LocalServer, () => void>();

/** A gateway that ends without stopping its servers (a crash) still asks them to end; only a kill leaves them. */
function onExit(server: LocalServer, signal: () => void): void {
  if (!hooked) process.once('exit', signalAll);
  hooked = true;
  owned.set(server, signal);
}

function signalAll(): void {
  for (const signal of owned.values()) signal();
}

let hooked = false;

const TRIM_INTERVAL = 60_000;
const LOG_LIMIT = 10_000_000;

function trimLog(place: ServerPlace): void {
  const size = statSync(logOf(place), { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT) truncateSync(logOf(place));
}

function readLog(place: ServerPlace): string {
  try {
    return readFileSync(logOf(place), 'utf8');
  } catch {
    return '';
  }
}

/** The whole record, or the number alone of a server whose starter died before it could write more. */
function readRecord(place: ServerPlace): Partial<ServerRecord> | null {
  try {
    return JSON.parse(readFileSync(recordOf(place), 'utf8')) as Partial<ServerRecord>;
  } catch {
    return null;
  }
}

function writeRecord(place: ServerPlace, record: ServerRecord): void {
  replaceFile(recordOf(place), `${JSON.stringify(record, null, 2)}\n`);
}

function recordOf(place: ServerPlace): string {
  return join(place.folder.dataPath, `${place.name}.json`);
}

function logOf(place: ServerPlace): string {
  return join(place.folder.dataPath, `${place.name}.log`);
}
