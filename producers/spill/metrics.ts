import { Counter, Gauge, type Registry } from 'prom-client';

/** What the gauges ask when they are scraped. */
export interface SpillDepth {
  /** of this life, on disk */
  records: number;
  /** of all segments that this process is to replay */
  bytes: number;
}

/**
 * Registers the metrics of a spill. Only a producer that has one has them.
 *
 * @param depth read at each scrape
 * @throws Error when the registry has them already
 */
export function createSpillMetrics(registry: Registry, depth: () => SpillDepth) {
  const records = { written: 0, replayed: 0, recovered: 0, lost: 0 };
  const refusals = { full: 0, failed: 0 };
  let lostBytes = 0;
  const registers = [registry];

  new Counter({
    name: 'sluice_spill_records_total',
    help: 'Records written to disk, replayed from there to Redis, recovered from former lives of a producer, or lost as damaged',
    labelNames: ['event'],
    registers,
    collect() {
      this.reset();
      for (const [event, count] of Object.entries(records)) this.inc({ event }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_refusals_total',
    help: 'Attempts to write chunks to disk that met the bound (full) or an error of the disk (failed)',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(refusals)) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: 'sluice_spill_lost_bytes_total',
    help: 'Bytes on disk that were no intact chunks, former lives included',
    registers,
    collect() {
      this.reset();
      this.inc(lostBytes);
    },
  });
  new Gauge({
    name: 'sluice_spill_records',
    help: 'Records of this process that wait on disk',
    registers,
    collect() {
      this.set(depth().records);
    },
  });
  new Gauge({
    name: 'sluice_spill_bytes',
    help: 'Bytes on disk that this process is to replay, those of former lives included',
    registers,
    collect() {
      this.set(depth().bytes);
    },
  });

  return {
    count(event: keyof typeof records, number: number): void {
      records[event] += number;
    },
    refused(reason: keyof typeof refusals): void {
      refusals[reason] += 1;
    },
    lostBytes(bytes: number): void {
      lostBytes += bytes;
    },
  };
}
