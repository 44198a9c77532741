import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel counts in: hundredths of a second on every Linux. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  /** Ticks of the process itself. */
  readonly own: number;
  /** Ticks of children that have ended and were waited for. */
  readonly ended: number;
}

/** The process that started this one. */
export function parentOf(pid: number): number {
  return readStat(pid).parent;
}

/** Seconds of processor time that a process has taken since it began, in all its threads. */
export function timeOf(pid: number): number {
  return readStat(pid).own / TICKS_PER_SECOND;
}

/** Seconds of processor time of a process with all its children, those that have ended included. */
export function timeOfFamily(pid: number): number {
  const { own, ended } = readStat(pid);
  let ticks = own + ended;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const child = readStatIfThere(Number(entry));
    if (child?.parent === pid) ticks += child.own + child.ended;
  }
  return ticks / TICKS_PER_SECOND;
}

function readStatIfThere(pid: number): Stat | null {
  try {
    return readStat(pid);
  } catch {
    return null;
  }
}

/** From proc_pid_stat(5); what stands in front of the last bracket is a name, which may hold anything. */
function readStat(pid: number): Stat {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (place: number): number => Number(fields[place - 3]);
  return { parent: number(4), own: number(14) + number(15), ended: number(16) + number(17) };
}
