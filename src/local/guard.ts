import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { ServerAccount } from './account.ts';
import { LocalError } from './localError.ts';

/** A server that does not outlive this process. */
export interface GuardedServer {
  isRunning(): boolean;
  /** What it has said; after a failure, the end of that. */
  said(): string;
  /** Waits until it ends by itself, and says whether that was well. */
  finish(): Promise<boolean>;
  /** Ends it, and removes its folder; as often as you like. */
  stop(): Promise<void>;
}

/** How a guarded server is started. */
export interface GuardPlan {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Where it works, and what is removed when it has ended: a folder made for it alone. */
  readonly folder: string;
  /** Whether the folder stays if it ends well: for a program that makes something, and is no server. */
  readonly keeps: boolean;
  /** What it is asked to end with, again and again for five seconds; then it is killed. */
  readonly signal: 'INT' | 'QUIT' | 'TERM';
  readonly account: ServerAccount | null;
}

// The server is a child of this shell, so that its number cannot become another's while the shell lives. The shell
// reads from a pipe whose other end only we hold: when we stop, or die in whatever way, the pipe ends, and with it the
// server. It is in a group of its own, out of the reach of the terminal's interrupts.
const GUARD = `
folder=$1 keeps=$2 signal=$3; shift 3
exec 3<&0
"$@" </dev/null 3<&- >"$folder/server.log" 2>&1 &
server=$!
{
  read -r _
  tries=50
  while [ $tries -gt 0 ] && kill -s "$signal" $server; do sleep 0.1; tries=$((tries - 1)); done
  kill -s KILL $server
} <&3 3<&- >/dev/null 2>&1 &
keeper=$!
exec 3<&-
wait $server
status=$?
kill -s KILL $keeper 2>/dev/null
[ $status -eq 0 ] || tail -c 4000 "$folder/server.log"
cd /
[ "$keeps" = true ] && [ $status -eq 0 ] && exit
# Its own children may need a moment more to end, and write until then.
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
exit $status
`;

/** Starts a server that ends within moments when this process does, killed or not. */
export async function startGuarded(plan: GuardPlan): Promise<GuardedServer> {
  const order = [plan.folder, String(plan.keeps), plan.signal, plan.command, ...plan.arguments];
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', ...order], {
    cwd: plan.folder,
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: plan.folder, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'ignore'],
    ...(plan.account ? { uid: plan.account.uid, gid: plan.account.gid } : {}),
  });
  if (child.pid === undefined) {
    const [cause] = await once(child, 'error');
    throw new LocalError('No shell at /bin/sh to guard a server with.', { cause });
  }
  return guard(plan, child);
}

function guard(plan: GuardPlan, child: ChildProcess): GuardedServer {
  let running = true;
  let lastWords = '';
  const handles = [child, child.stdin as Socket | null, child.stdout as Socket | null];
  const ended = once(child, 'close').then(([code]) => {
    running = false;
    return code === 0;
  });
  child.stdout?.on('data', (chunk) => {
    lastWords += chunk;
  });
  // It may have ended by itself just before we let go.
  child.stdin?.on('error', () => {});
  // Whoever forgets to stop it can still end; the guard then does the rest.
  for (const handle of handles) handle?.unref();
  const finish = (): Promise<boolean> => {
    for (const handle of handles) handle?.ref();
    return ended;
  };
  return {
    isRunning: () => running,
    said: () => (running ? readLog(plan) : lastWords),
    finish,
    async stop() {
      child.stdin?.end();
      await finish();
    },
  };
}

function readLog(plan: GuardPlan): string {
  try {
    return readFileSync(join(plan.folder, 'server.log'), 'utf8');
  } catch {
    return '';
  }
}
