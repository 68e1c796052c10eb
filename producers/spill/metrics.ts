import { Counter, Gauge, type GaugeConfiguration, type Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';

/** What the gauges ask when they are scraped. */
export interface SpillDepth {
  /** of this life, on disk */
  records: number;
  /** of all segments that this process is to replay */
  bytes: number;
}

/** What is counted for the spill of one queue. */
interface SpillCounts {
  queue: QueueName;
  records: { written: number; replayed: number; recovered: number; lost: number };
  refusals: { full: number; failed: number };
  lostBytes: number;
  depth: () => SpillDepth;
}

/**
 * Adds the spill of one queue to the metrics; the producers of a process share them. A process without a spill has none.
 *
 * @param depth read at each scrape
 * @throws Error when the registry has this queue's already
 */
export function createSpillMetrics(registry: Registry, queue: QueueName, depth: () => SpillDepth) {
  const spills = registeredSpills(registry);
  if (spills.some((spill) => spill.queue === queue))
    throw new Error(`the registry has the metrics of a spill of ${queue} already: one producer for each registry`);
  const counts: SpillCounts = {
    queue,
    records: { written: 0, replayed: 0, recovered: 0, lost: 0 },
    refusals: { full: 0, failed: 0 },
    lostBytes: 0,
    depth,
  };
  spills.push(counts);
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
  };
}

/** Has the list that all spill metrics of a registry read. */
class SpillGauge extends Gauge<'queue'> {
  readonly spills: SpillCounts[];

  constructor(options: GaugeConfiguration<'queue'>, spills: SpillCounts[]) {
    super(options);
    this.spills = spills;
  }
}

const recordsGauge = 'sluice_spill_records';

function registeredSpills(registry: Registry): SpillCounts[] {
  const known = registry.getSingleMetric(recordsGauge);
  return known instanceof SpillGauge ? known.spills : register(registry);
}

function register(registry: Registry): SpillCounts[] {
  const spills: SpillCounts[] = [];
  const registers = [registry];

  new Counter({
    name: 'sluice_spill_records_total',
    help: 'Records written to disk, replayed from there to Redis, recovered from former lives of a producer, or lost as damaged',
    labelNames: ['queue', 'event'],
    registers,
    collect() {
      this.reset();
      for (const { queue, records } of spills)
        for (const [event, count] of Object.entries(records)) this.inc({ queue, event }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_refusals_total',
    help: 'Attempts to write chunks to disk that met the bound (full) or an error of the disk (failed)',
    labelNames: ['queue', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { queue, refusals } of spills)
        for (const [reason, count] of Object.entries(refusals)) this.inc({ queue, reason }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_lost_bytes_total',
    help: 'Bytes on disk that were no intact chunks, former lives included',
    labelNames: ['queue'],
    registers,
    collect() {
      this.reset();
      for (const { queue, lostBytes } of spills) this.inc({ queue }, lostBytes);
    },
  });
  new SpillGauge(
    {
      name: recordsGauge,
      help: 'Records of this process that wait on disk',
      labelNames: ['queue'],
      registers,
      collect() {
        for (const { queue, depth } of spills) this.set({ queue }, depth().records);
      },
    },
    spills,
  );
  new Gauge({
    name: 'sluice_spill_bytes',
    help: 'Bytes on disk that this process is to replay, those of former lives included',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const { queue, depth } of spills) this.set({ queue }, depth().bytes);
    },
  });
  return spills;
}
