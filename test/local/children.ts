import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { LocalLog } from '../../src/local/log.ts';
import { commandOf } from '../../src/local/process.ts';

/** A program of the tests that runs beside them and is spoken to in lines. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  say(line: string): void;
  /** The next line that it writes; fails when it ends instead. */
  line(): Promise<string>;
  /** Ends it in the way that nothing survives, if it still runs. */
  kill(): Promise<void>;
}

const house = join(import.meta.dirname, '../..');

const programs = {
  claimant: new URL('./claimant.ts', import.meta.url),
  starter: new URL('./starter.ts', import.meta.url),
};

/** Starts a program of this folder, in a process group of its own as a terminal would. */
export function startChild(program: keyof typeof programs, ...given: string[]): Child {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(programs[program]), ...given], {
    cwd: house,
    detached: true,
  });
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    say: (line) => child.stdin.write(`${line}\n`),
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended`);
      return value as string;
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** What was made for a test and has to go after it. */
export const leftovers: (() => unknown)[] = [];

/** Removes what tests of this file left, newest first. */
export async function clearLeftovers(): Promise<void> {
  for (const clear of leftovers.splice(0).reverse()) await clear();
}

/** A folder to start in, that every account can enter; it goes after the test. */
export function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'tollhouse-test-'));
  chmodSync(root, 0o755);
  leftovers.push(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A log that keeps its sentences. */
export function listen(): LocalLog & { readonly sentences: string[] } {
  const sentences: string[] = [];
  const say = (...words: unknown[]): void => {
    sentences.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
  };
  return { sentences, info: say, warn: say, error: say };
}

/** The number of the process of a local server, from its record. */
export function pidOf(dataPath: string, server: 'postgres' | 'anvil'): number {
  return (JSON.parse(readFileSync(join(dataPath, `${server}.json`), 'utf8')) as { pid: number }).pid;
}

/** Waits, for as long as the test may take, until it is so. */
export async function until(isSo: () => unknown): Promise<void> {
  while (!(await isSo())) await sleep(20);
}

/** The rows of one statement at this database. */
export async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** The processes that name this folder in their command line, where the system shows them as files. */
export function processesOf(folder: string): string[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${pid} ${commandOf(Number(pid))}`)
    .filter((process) => process.includes(folder));
}
