import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** A process of the bench, which answers messages one at a time. */
export interface Child {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: unknown;
  /** Sends a message and waits for the answer to it. */
  ask<Reply>(message: object): Promise<Reply>;
  /** Ends it by its id, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Whether processes can be kept to one core each; else the system under test and the rest take each other's time. */
export const canPin: boolean = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** The core of the system under test, and that of everything else. */
export const CORES = { system: 0, rest: 1 } as const;

const PATIENCE_MS = 60_000;

/** Starts a script on one core, and resolves when it has sent its first message. */
export async function startChild(
  script: URL,
  options: { readonly core: number; readonly env?: Readonly<Record<string, string>> },
): Promise<Child> {
  const path = fileURLToPath(script);
  const [command = '', ...rest] = [
    ...(canPin ? ['taskset', '--cpu-list', String(options.core)] : []),
    process.execPath,
    ...(path.endsWith('.ts') ? ['--import', 'tsx'] : []),
    path,
  ];
  const child = spawn(command, rest, {
    // where the loader of TypeScript is found
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, NODE_ENV: 'production', GRAPHILE_ENV: 'production', ...options.env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-3_000);
  });
  const gone = (async () => {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    throw new Error(`${path} ended (${code ?? signal}) and said: ${said || 'nothing'}`);
  })();
  gone.catch(() => {});
  const next = async (): Promise<unknown> => (await once(child, 'message'))[0];
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ready = await Promise.race([next(), gone]);
  clearTimeout(late);
  return {
    pid: child.pid ?? 0,
    ready,
    ask: async <Reply>(message: object) => {
      const reply = next();
      child.send(message);
      return (await Promise.race([reply, gone])) as Reply;
    },
    stop: () => end(child),
  };
}

/** Keeps a running process, and the children that it starts from now on, to a core. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(late);
}
