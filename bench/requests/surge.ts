import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../dev/steps.ts';
import { readMemory } from '../memory.ts';
import type { TargetStore } from '../rounds.ts';
import { startChild } from '../start-child.ts';
import type { Testbed } from '../testbed.ts';
import { startRequestWorker } from './request-worker.ts';
import type { SurgeAnswer, SurgeOrder } from './surge-producer.ts';

/** Resident memory of a process: the maximum while … */
export interface MemoryUse {
  /** … requests arrived at a rate that can be stored */
  calmBytes: number;
  /** … the first half of the surge */
  firstHalfBytes: number;
  /** … its second half, and until everything was stored: if waiting requests were kept in memory, this would be higher */
  restBytes: number;
}

export interface SurgeResult {
  /** limit of each process's heap */
  heapMib: number;
  seconds: number;
  offeredPerSecond: number;
  /** all of them are stored */
  accepted: number;
  turnedAway: number;
  /** from the end of the surge until the last row was stored */
  drainSeconds: number;
  producer: MemoryUse;
  worker: MemoryUse;
}

const calmMs = 10_000;
const halfSurgeMs = 10_000;
const times = 10;
const lookEveryMs = 100;
const namespace = 'bench-surge';

/**
 * The limit of V8's heap in both processes, as in a small container. Without a limit, V8 lets garbage grow to five times what is in
 * use, and the measurement would show only that; with it, a process that kept waiting requests would die.
 */
const heapMib = 512;

/** As a share of what was stored while nothing else happened: otherwise the calm would be a surge already. */
const calmShare = 0.7;

/**
 * Offers requests from a separate process to a fresh worker, first at a rate that can be stored, then at ten times that, and watches
 * memory until everything accepted is stored. Requests that find the buffer full are turned away, as with `trySend`.
 *
 * @throws Error if an accepted request was not stored
 */
export async function measureSurge(
  testbed: Testbed,
  tables: TargetStore,
  storedPerSecond: number,
): Promise<SurgeResult> {
  await tables.reset();
  const environment = { NODE_OPTIONS: `--max-old-space-size=${heapMib}` };
  const worker = await startRequestWorker(testbed, namespace, environment);
  const { child } = await startChild(testbed, {
    name: 'the producer of the surge',
    file: new URL('./surge-producer.ts', import.meta.url),
    environment: { SLUICE_NAMESPACE: namespace, ...environment },
  });
  const offer = (order: SurgeOrder): Promise<SurgeAnswer> =>
    new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('the producer of the surge has ended')));
      child.once('message', (answer) => resolve(answer as SurgeAnswer));
      child.send(order);
    });
  const memory = watchMemory({ producer: child.pid ?? 0, worker: worker.pid });
  try {
    const perSecond = storedPerSecond * calmShare;
    const calm = await offer({ perSecond, forMs: calmMs });
    await worker.settle();
    const calmPeaks = memory.takePeaks();

    const offeredPerSecond = perSecond * times;
    say(`a surge of ${Math.round(offeredPerSecond)} requests/s`);
    const first = await offer({ perSecond: offeredPerSecond, forMs: halfSurgeMs });
    const firstPeaks = memory.takePeaks();
    const second = await offer({ perSecond: offeredPerSecond, forMs: halfSurgeMs });
    const endedAt = performance.now();
    await worker.settle();
    const drainSeconds = (performance.now() - endedAt) / 1_000;
    await sleep(lookEveryMs);
    const restPeaks = memory.takePeaks();

    const accepted = first.accepted + second.accepted;
    const stored = await tables.countRows();
    if (stored !== calm.accepted + accepted)
      throw new Error(`surge: ${calm.accepted + accepted} requests were accepted, ${stored} are stored`);
    const useOf = (process: 'producer' | 'worker'): MemoryUse => ({
      calmBytes: calmPeaks[process],
      firstHalfBytes: firstPeaks[process],
      restBytes: restPeaks[process],
    });
    return {
      heapMib,
      seconds: (2 * halfSurgeMs) / 1_000,
      offeredPerSecond,
      accepted,
      turnedAway: first.turnedAway + second.turnedAway,
      drainSeconds,
      producer: useOf('producer'),
      worker: useOf('worker'),
    };
  } finally {
    memory.stop();
  }
}

/** Samples the memory of processes repeatedly. */
function watchMemory<Name extends string>(pids: Readonly<Record<Name, number>>) {
  const names = Object.keys(pids) as Name[];
  let peaks = none();
  const timer = setInterval(look, lookEveryMs);

  function none(): Record<Name, number> {
    return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  }
  function look(): void {
    for (const name of names) peaks[name] = Math.max(peaks[name], readMemory(pids[name]));
  }
  return {
    /** The maximum of each since the last call. */
    takePeaks(): Record<Name, number> {
      look();
      const taken = peaks;
      peaks = none();
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}
