import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own terms: compared, never read. */
  readonly born: string;
}

/** The process that has this number now, or null when none runs (one that ended and awaits its parent has ended). */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, and belongs to another account.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  const born = process.platform === 'linux' ? bornByProc(pid) : bornByPs(pid);
  return born === null ? null : { pid, born };
}

/** Whether this very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now !== null && (now.born === identity.born || now.born === UNKNOWN || identity.born === UNKNOWN);
}

/** Ends a process: asks with each signal in turn, waiting so many milliseconds each time, then kills it. */
export async function endProcess(
  identity: ProcessIdentity,
  signals: readonly NodeJS.Signals[],
  patience: number,
): Promise<void> {
  for (const signal of [...signals, 'SIGKILL'] as const) {
    if (!signalProcess(identity, signal)) return;
    if (await hasEnded(identity, patience)) return;
  }
}

/** Sends a signal to this very process and never to another; false when it no longer runs. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

/** The command line of a process, to tell what it is; empty when none runs or it is not ours to see. */
export function commandOf(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'command=') ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

async function hasEnded(identity: ProcessIdentity, patience: number): Promise<boolean> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(10)) {
    if (!isRunning(identity)) return true;
  }
  return !isRunning(identity);
}

// Where the system hides it (hidepid, no ps), a number that is taken has to count as the process we mean.
const UNKNOWN = 'unknown';

function bornByProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it is in parentheses and may hold anything, spaces and parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    // Clock ticks since the boot: only together with the boot do they name one moment.
    return `${bootId()}/${fields[19]}`;
  } catch {
    return UNKNOWN;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function bornByPs(pid: number): string | null {
  const said = ps(pid, 'stat=,lstart=');
  if (said === null) return UNKNOWN;
  const [state, ...start] = said.split(/\s+/);
  return !state || state.startsWith('Z') ? null : start.join(' ');
}

function ps(pid: number, columns: string): string | null {
  const run = spawnSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  return run.error ? null : run.stdout.trim();
}
