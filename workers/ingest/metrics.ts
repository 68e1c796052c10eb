import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { readGaugesOf } from '../../shared/platform/read-gauges.ts';
import type { QueueDepth } from './queue-depth.ts';

/** What a worker tells Prometheus. */
export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** How many shards are in which state. */
export interface ShardStates {
  working: number;
  /** whose server refuses what their worker needs */
  refused: number;
  /** whose server does not answer */
  silent: number;
}

/** How a job may end. */
const jobOutcomes = [
  'completed',
  'failed',
  'newer_contract',
  'retry_limited',
  'retry_later',
  'dead_letters',
  'stalled',
] as const;

/** Outcomes of records that somebody has to look at. */
const badOutcomes = ['dead', 'failed'] as const;

/**
 * Registers the metrics of one worker role. The series that alerts count exist from the start, at 0: Prometheus sees no increase
 * in a series that begins with 1.
 */
export function createWorkerMetrics(
  registry: Registry,
  sources: {
    queue: QueueName;
    heldRecords: () => number;
    /** null where Redis does not answer in time */
    queueDepth: () => Promise<QueueDepth | null>;
    shards: () => ShardStates;
    isHalted: () => boolean;
    isOutage: () => boolean;
    lacksDeadLetterBox: () => boolean;
  },
) {
  const registers = [registry];
  const records = new Counter({
    name: 'sluice_records_total',
    help: 'Records by outcome: stored (executions), inserted or updated (requests), duplicate, tombstoned (deleted before), conflict (with a row still in progress), foreign (the row belongs to another creator), dead (a dead letter) or failed (in the failed set)',
    labelNames: ['queue', 'outcome'] as const,
    registers,
  });
  const jobs = new Counter({
    name: 'sluice_jobs_total',
    help: 'Jobs by outcome: completed, failed, newer_contract (delayed, written by a newer producer), retry_limited (delayed, a row is still in progress), retry_later (delayed, rows are locked, statements are too slow or space is short), dead_letters (delayed, its dead letters could not be written) or stalled',
    labelNames: ['queue', 'outcome'] as const,
    registers,
  });
  const jobWait = new Histogram({
    name: 'sluice_job_wait_seconds',
    help: 'Time from adding a job to a worker taking it',
    labelNames: ['queue'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
    registers,
  });
  const odd = new Counter({
    name: 'sluice_records_implausible_total',
    help: 'Records with a time before 2000 or more than a day ahead, or an end before the start; noted in the notes of their rows',
    labelNames: ['queue'] as const,
    registers,
  });
  const unaccounted = new Counter({
    name: 'sluice_records_unaccounted_total',
    help: 'Settled records of chunks that say nothing of themselves to the ledger: of older producers, of other languages, or replayed',
    labelNames: ['queue'] as const,
    registers,
  });
  const reports = new Counter({
    name: 'sluice_ledger_reports_total',
    help: 'Reports of producers to the ledger, by outcome: stored, or put_off (their tables are locked, or in trouble)',
    labelNames: ['queue', 'outcome'] as const,
    registers,
  });
  const batchRecords = new Histogram({
    name: 'sluice_batch_records',
    help: 'Records in one insert statement or COPY',
    labelNames: ['queue'] as const,
    buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000],
    registers,
  });
  const statement = new Histogram({
    name: 'sluice_statement_seconds',
    help: 'Time of one insert statement or COPY, by result: ok or the class of its error',
    labelNames: ['queue', 'result'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const copies = new Counter({
    name: 'sluice_copies_total',
    help: 'Batches that were tried by COPY, by result: stored, or refused (the insert statement stores them, or tells why not)',
    labelNames: ['queue', 'result'] as const,
    registers,
  });
  const retries = new Counter({
    name: 'sluice_statement_retries_total',
    help: 'Retried statements, by class and code of the error',
    labelNames: ['queue', 'class', 'code'] as const,
    registers,
  });
  const gauge = readGaugesOf(registry);
  gauge('sluice_worker_held_records', 'Records that this worker holds and has not settled yet', sources.heldRecords);
  gauge(
    'sluice_worker_halted',
    '1 when the worker has stopped taking jobs because too many records are dead, else 0',
    sources.isHalted,
  );
  gauge(
    'sluice_database_outage',
    '1 while statements wait for PostgreSQL to answer or to be repaired, else 0',
    sources.isOutage,
  );
  gauge(
    'sluice_dead_letters_blocked',
    '1 while dead letters cannot be written although records are stored, else 0',
    sources.lacksDeadLetterBox,
  );
  new Gauge({
    name: 'sluice_queue_jobs',
    help: 'Jobs in the queue by state, all shards together; the same for all workers of a queue. A shard that does not answer counts as it last was. Absent while Redis does not answer',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      const depth = await sources.queueDepth();
      this.reset();
      if (depth === null) return;
      for (const state of ['waiting', 'active', 'delayed', 'failed'] as const) this.set({ state }, depth[state]);
    },
  });
  gauge(
    'sluice_queue_oldest_job_seconds',
    'How long the oldest waiting job of all shards has waited; 0 when none waits. Absent while Redis does not answer',
    async () => (await sources.queueDepth())?.oldestWaitSeconds ?? null,
  );
  new Gauge({
    name: 'sluice_queue_shards',
    help: 'Shards of the queue by state, as this worker sees them: working, refused (Redis refuses what the worker needs) or silent (their server does not answer)',
    labelNames: ['state'] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.shards())) this.set({ state }, count);
    },
  });
  const { queue } = sources;
  for (const outcome of badOutcomes) records.inc({ queue, outcome }, 0);
  for (const outcome of jobOutcomes) jobs.inc({ queue, outcome }, 0);
  odd.inc({ queue }, 0);
  unaccounted.inc({ queue }, 0);
  for (const outcome of ['stored', 'put_off'] as const) reports.inc({ queue, outcome }, 0);
  return { records, jobs, odd, unaccounted, reports, jobWait, batchRecords, statement, copies, retries };
}
