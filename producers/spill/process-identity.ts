import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Tells a process from all others, including those that had or will have the same id. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** of the kernel: differs between hosts of the same name, and after a restart. '' where the system has none */
  bootId: string;
  /** process ids are unique only within one namespace; containers have their own. '' where the system has none */
  pidNamespace: string;
  /** its start, in the system's own format; '' where the system does not tell */
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
 * Returns when the process with this id started, or null if there is none. A zombie counts as none, since it writes no more.
 * Without /proc (macOS), only our own start is known; it is '' for every other process.
 */
export async function findProcess(pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return pid === process.pid ? String(Math.round(performance.timeOrigin)) : '';
  // The name in parentheses may contain anything, so the fields are counted after it.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? null : (fields[18] ?? '');
}
