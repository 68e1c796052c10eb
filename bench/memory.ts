import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Resident memory of a process, in bytes; 0 if it is gone. */
export function readMemory(pid: number): number {
  return readStatus(pid, 'VmRSS') ?? memoryByPs(pid);
}

/** The peak resident memory of a process, in bytes; 0 if it is gone, or the system does not tell. */
export function readPeakMemory(pid: number): number {
  return readStatus(pid, 'VmHWM') ?? 0;
}

function readStatus(pid: number, field: string): number | null {
  try {
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1_024;
  } catch {
    return null;
  }
}

/** If the system has no /proc. */
function memoryByPs(pid: number): number {
  try {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024;
  } catch {
    return 0;
  }
}
