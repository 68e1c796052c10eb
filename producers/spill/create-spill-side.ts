import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { SpillSide } from '../chunk-sender.ts';
import type { ExecutionObserver } from '../execution-observer.ts';
import type { ProblemLog } from '../problem-log.ts';
import { createSpillMetrics } from './metrics.ts';
import { createSpill } from './spill.ts';

/** The disk of one observer, and what it is told. */
export interface SpillSideOptions {
  settings: { dir: string; maxBytes: number; fsyncMs: number };
  namespace: string;
  queue: QueueName;
  /** `<producer>-<epoch>` */
  life: string;
  /** asked when there is something to tell it; it is made after its spill */
  observer: () => Pick<ExecutionObserver, 'spilled' | 'acknowledge' | 'recovered' | 'lost' | 'stats'>;
  registry: Registry;
  problems: ProblemLog;
  now: () => number;
  /** former lives left something to replay */
  onFound(): void;
}

/** Puts the spill together with the observer's accounts, the metrics and the log. */
export function createSpillSide(options: SpillSideOptions): SpillSide {
  const { observer, problems, settings } = options;
  const store = createSpill({
    // Chunks of another fleet or queue must not be replayed into this one.
    dir: join(settings.dir, `${options.namespace}.${options.queue}`),
    life: options.life,
    maxBytes: settings.maxBytes,
    fsyncMs: settings.fsyncMs,
    now: options.now,
    onFound: options.onFound,
    onLost({ bytes, ownRecords }) {
      metrics.lostBytes(bytes);
      metrics.count('lost', ownRecords);
      observer().lost(ownRecords);
      problems.report('spill_lost', null);
    },
    onTrouble: (error) => problems.report('spill_failed', error),
  });
  const metrics = createSpillMetrics(options.registry, () => ({
    records: observer().stats().spilled,
    bytes: store.bytes,
  }));
  return {
    store,
    onSpilled(records) {
      metrics.count('written', records);
      observer().spilled(records);
    },
    onReplayed({ records, isOwn }) {
      metrics.count(isOwn ? 'replayed' : 'recovered', records);
      if (isOwn) observer().acknowledge(records, { fromDisk: true });
      else observer().recovered(records);
    },
    onRefused(refusal) {
      metrics.refused(refusal.status);
      if (refusal.status === 'full') problems.report('spill_full', null);
      else problems.report('spill_failed', refusal.error);
    },
  };
}
