import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { joinMetrics } from '../core/shared-metrics.ts';

/** Read by the gauges at each scrape. */
export interface SpillDepth {
  /** on disk, of this session */
  records: number;
  /** of all segments that this session has to replay */
  bytes: number;
}

/** The counts of all spills of one queue. */
interface SpillCounts {
  records: { written: number; replayed: number; recovered: number; refused: number; lost: number; taken_over: number };
  refusals: { full: number; failed: number };
  lostBytes: number;
  depths: Set<() => SpillDepth>;
}

const emptyCounts = (): SpillCounts => ({
  records: { written: 0, replayed: 0, recovered: 0, refused: 0, lost: 0, taken_over: 0 },
  refusals: { full: 0, failed: 0 },
  lostBytes: 0,
  depths: new Set(),
});

/**
 * Adds the spill of one queue to the metrics, which all producers of a registry share. Without a spill there are none.
 *
 * @param depth read at each scrape
 * @throws Error when the registry already has a metric of the same name from other code
 */
export function createSpillMetrics(registry: Registry, queue: QueueName, depth: () => SpillDepth) {
  const { state: spills, leave } = joinMetrics(registry, 'spills', (registers) => {
    const made = new Map<QueueName, SpillCounts>();
    createMetrics(registers, made);
    return made;
  });
  const counts = spills.get(queue) ?? emptyCounts();
  spills.set(queue, counts);
  counts.depths.add(depth);
  return {
    count(event: keyof SpillCounts['records'], number: number): void {
      counts.records[event] += number;
    },
    refused(reason: keyof SpillCounts['refusals']): void {
      counts.refusals[reason] += 1;
    },
    lostBytes(bytes: number): void {
      counts.lostBytes += bytes;
    },
    /** Removes the metrics, unless another spill of the registry still uses them. */
    close(): void {
      counts.depths.delete(depth);
      leave();
    },
  };
}

export type SpillMetrics = ReturnType<typeof createSpillMetrics>;

function createMetrics(registers: Registry[], spills: ReadonlyMap<QueueName, SpillCounts>): void {
  new Counter({
    name: 'sluice_spill_records_total',
    help: 'Records on disk by event: written to disk, replayed to Redis, recovered from producer sessions that have ended, permanently refused by Redis, lost because of damage, or taken over by another session that assumed this one was dead',
    labelNames: ['queue', 'event'],
    registers,
    collect() {
      this.reset();
      for (const [queue, { records }] of spills)
        for (const [event, count] of Object.entries(records)) this.inc({ queue, event }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_refusals_total',
    help: 'Attempts to write chunks to disk that reached the size limit (full) or met a disk error (failed)',
    labelNames: ['queue', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [queue, { refusals }] of spills)
        for (const [reason, count] of Object.entries(refusals)) this.inc({ queue, reason }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_lost_bytes_total',
    help: 'Bytes on disk that were not intact chunks, including those of earlier sessions',
    labelNames: ['queue'],
    registers,
    collect() {
      this.reset();
      for (const [queue, { lostBytes }] of spills) this.inc({ queue }, lostBytes);
    },
  });
  new Gauge({
    name: 'sluice_spill_records',
    help: 'Records of this process that wait on disk',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, { depths }] of spills) this.set({ queue }, addUp(depths, 'records'));
    },
  });
  new Gauge({
    name: 'sluice_spill_bytes',
    help: 'Bytes on disk that this process has to replay, including those of earlier sessions',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, { depths }] of spills) this.set({ queue }, addUp(depths, 'bytes'));
    },
  });
}

function addUp(depths: Iterable<() => SpillDepth>, kind: keyof SpillDepth): number {
  let sum = 0;
  for (const depth of depths) sum += depth()[kind];
  return sum;
}
