import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../dev/steps.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { SluiceContender } from '../contenders/sluice.ts';
import { mostRowsPerSecond, type ProcessMemory, toProcessMemory } from '../growth/memory-slope.ts';
import { readMemory } from '../memory.ts';
import { createRows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { openCrowd } from './crowd.ts';
import { createPoster } from './post-bodies.ts';

/** How the memory of the gateway develops under a steady load beside a crowd of other connections. */
export interface CrowdMemory {
  rowsPerSecond: number;
  minutes: number;
  /** idle, slow and hostile connections, with those that the gateway closed */
  connections: number;
  gateway: ProcessMemory;
}

const sampleEveryMs = 1_000;
const bodyEveryMs = 100;
const distinctRuns = 5_000;
const minuteMs = 60_000;

/** @throws Error if a row of the load was lost */
export async function measureCrowd(
  testbed: Testbed,
  fleet: SluiceContender,
  { rowsPerSecond: asked, minutes }: { rowsPerSecond: number; minutes: number },
): Promise<CrowdMemory> {
  const rowsPerSecond = Math.min(asked, mostRowsPerSecond);
  const { url = '', pids = () => [] } = fleet.gateway ?? {};
  await testbed.reset();
  const { traceLimit } = testbed.config.producer;
  const rows = createRows(distinctRuns, testbed.config.producer);
  const poster = createPoster({ url, encoding: 'identity', traceLimit });
  const crowd = openCrowd(url);
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const samples: { ms: number; bytes: number }[] = [];

  const send = async (): Promise<number> => {
    let sent = 0;
    while (elapsed() < minutes * minuteMs) {
      const due = Math.floor((elapsed() / 1_000) * rowsPerSecond) - sent;
      const now = Date.now();
      const executions = Array.from({ length: Math.min(due, distinctRuns) }, (_, index) => ({
        ...rows.execution((sent + index) % distinctRuns),
        ...{ id: uuidV7(now), recordedAt: new Date(now).toISOString() },
      }));
      if (executions.length > 0) await poster.post(executions);
      sent += executions.length;
      await sleep(bodyEveryMs);
    }
    return sent;
  };
  const watch = async (): Promise<void> => {
    while (elapsed() < minutes * minuteMs) {
      samples.push({ ms: elapsed(), bytes: pids().reduce((sum, pid) => sum + readMemory(pid), 0) });
      await sleep(sampleEveryMs);
    }
  };
  say(`steady load of ${Math.round(rowsPerSecond)} rows/s beside the crowd, for ${minutes} minutes`);
  try {
    const [sent] = await Promise.all([send(), watch()]);
    await fleet.settle();
    const stored = await testbed.countRows();
    if (stored !== sent) throw new Error(`beside the crowd: ${sent} rows were sent, ${stored} are stored`);
    return { rowsPerSecond, minutes, connections: crowd.opened(), gateway: toProcessMemory(samples) };
  } finally {
    crowd.close();
    poster.close();
  }
}
