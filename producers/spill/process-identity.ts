import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** What tells one process from all others, those that had or will have the same id included. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** the run of the machine's kernel: hosts of one name differ in it, and a host before and after a restart. '' where the system has none */
  bootId: string;
  /** ids mean something within one of these only: containers have their own. '' where the system has none */
  pidNamespace: string;
  /** when it started, in whatever form the system gives; '' where it gives none */
  startedAt: string;
}

export async function identifyThisProcess(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    host: hostname(),
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    startedAt: (await findProcess(process.pid)) ?? '',
  };
}

/**
 * When the process with this id started, null when there is none. A zombie counts as none: it writes no more. Without
 * /proc (macOS) it is the one that we can know, ourselves, and '' for every other.
 */
export async function findProcess(pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return pid === process.pid ? String(Math.round(performance.timeOrigin)) : '';
  // The name in parentheses may hold anything, so the fields are counted from behind it.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? null : (fields[18] ?? '');
}
