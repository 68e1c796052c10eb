import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../dev/steps.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { SluiceContender } from '../contenders/sluice.ts';
import { readMemory } from '../memory.ts';
import { createRows } from '../rows.ts';
import { type Regression, regress } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';

/** How the memory of the workers develops under a steady load. */
export interface MemoryResult {
  rowsPerSecond: number;
  minutes: number;
  workers: ProcessMemory[];
}

/** Resident memory. Of the slope, in MB per hour, the first fifth of the time is left out: heap and pools fill then. */
export interface ProcessMemory extends Regression {
  samples: number;
  firstMb: number;
  lastMb: number;
}

/** However fast the machine: the rows have to fit on the disk. */
export const mostRowsPerSecond = 5_000;

const turnMs = 5;
const sampleEveryMs = 5_000;
const warmUpShare = 0.2;
const distinctRuns = 5_000;
const mb = 1_000_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;

/**
 * Records at a steady rate into an empty table, and reads the memory of the workers every five seconds.
 *
 * @throws Error if a row was lost, or a worker was restarted
 */
export async function measureMemory(
  testbed: Testbed,
  fleet: SluiceContender,
  { rowsPerSecond: asked, minutes }: { rowsPerSecond: number; minutes: number },
): Promise<MemoryResult> {
  const rowsPerSecond = Math.min(asked, mostRowsPerSecond);
  await testbed.reset();
  const rows = createRows(distinctRuns, testbed.config.producer);
  const pids = fleet.workerPids();
  const samples: { ms: number; bytes: number[] }[] = [];
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;

  const send = async (): Promise<number> => {
    let sent = 0;
    while (elapsed() < minutes * minuteMs) {
      for (const due = (elapsed() / 1_000) * rowsPerSecond; sent < due; sent += 1) {
        const now = Date.now();
        const key = { id: uuidV7(now), recordedAt: new Date(now).toISOString() };
        fleet.observer.record({ ...rows.execution(sent % distinctRuns), ...key });
      }
      await sleep(turnMs);
    }
    return sent;
  };
  const watch = async (): Promise<void> => {
    let saidAt = 0;
    while (elapsed() < minutes * minuteMs) {
      const sample = { ms: elapsed(), bytes: pids.map(readMemory) };
      samples.push(sample);
      if (sample.ms - saidAt >= minuteMs) {
        saidAt = sample.ms;
        const used = sample.bytes.map((bytes) => Math.round(bytes / mb)).join(' and ');
        say(`steady load: minute ${Math.round(saidAt / minuteMs)} of ${minutes}: the workers have ${used} MB`);
      }
      await sleep(sampleEveryMs);
    }
  };
  const [sent] = await Promise.all([send(), watch()]);

  await fleet.settle();
  const stored = await testbed.countRows();
  if (stored !== sent) throw new Error(`steady load: ${sent} rows were recorded, ${stored} are stored`);
  return {
    rowsPerSecond,
    minutes,
    workers: pids.map((_, worker) =>
      toProcessMemory(samples.map(({ ms, bytes }) => ({ ms, bytes: bytes[worker] ?? 0 }))),
    ),
  };
}

/** @param samples in the order of their times */
export function toProcessMemory(samples: readonly { ms: number; bytes: number }[]): ProcessMemory {
  const counted = samples.slice(Math.floor(samples.length * warmUpShare));
  return {
    samples: counted.length,
    firstMb: (counted[0]?.bytes ?? Number.NaN) / mb,
    lastMb: (counted.at(-1)?.bytes ?? Number.NaN) / mb,
    ...regress(counted.map(({ ms, bytes }) => ({ x: ms / hourMs, y: bytes / mb }))),
  };
}
