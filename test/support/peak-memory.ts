import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { readMemory } from '../../bench/memory.ts';

/**
 * Watches the resident memory of a process from now on.
 *
 * @returns asks for its highest value so far, in bytes; the kernel's own figure where there is one
 */
export function watchMemory(pid: number): () => number {
  let highest = 0;
  const look = (): void => {
    highest = Math.max(highest, peakByKernel(pid) ?? readMemory(pid));
  };
  const timer = setInterval(look, 50);
  onTestFinished(() => clearInterval(timer));
  return () => {
    look();
    return highest;
  };
}

function peakByKernel(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) * 1_024;
  } catch {
    return null;
  }
}
