import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSX = import.meta.resolve('tsx');

/** A folder in which `npm start` keeps its `.tollhouse/`, as a checkout's own. */
export interface Checkout {
  readonly path: string;
  remove(): void;
}

/** Makes a folder that the account of PostgreSQL can reach. */
export function makeCheckout(): Checkout {
  const path = mkdtempSync(join(tmpdir(), 'tollhouse-checkout-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What `npm start` or an example runs, as a process of its own group. */
export interface Command {
  readonly process: ChildProcess;
  /** All that it has printed. */
  said(): string;
  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals | null>;
  /** Resolves with the first match of what it prints; rejects when it ends before. */
  says(what: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to its whole group, as a terminal does. */
  interrupt(): void;
}

/** Runs a script of the repository from a folder, under the settings given alone. */
export function run(script: string, options: { cwd: string; env?: Record<string, string>; args?: string[] }): Command {
  const child = spawn(process.execPath, ['--import', TSX, join(ROOT, script), ...(options.args ?? [])], {
    cwd: options.cwd,
    detached: true,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
  }
  const end = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  return {
    process: child,
    said: () => text,
    ended: () => end,
    async says(what) {
      for (;;) {
        const found = what.exec(text);
        if (found) return found;
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`It ended; it said:\n${text}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    interrupt: () => {
      if (child.pid) process.kill(-child.pid, 'SIGINT');
    },
  };
}

/** The process numbers of the servers that a checkout has recorded. */
export function serversOf({ path }: Checkout): number[] {
  return ['postgres', 'anvil'].map((name) => {
    const { pid } = JSON.parse(readFileSync(join(path, '.tollhouse', `${name}.json`), 'utf8')) as { pid: number };
    return pid;
  });
}

/** Whether a process of this number still runs; one that has ended and was not yet collected does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
