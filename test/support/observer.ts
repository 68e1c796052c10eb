import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { createChunkSender } from '../../producers/chunk-sender.ts';
import { createChunker } from '../../producers/chunker.ts';
import { ExecutionObserver, type ObserverSettings } from '../../producers/execution-observer.ts';
import { createProducerMetrics, type ProducerMetrics } from '../../producers/metrics.ts';
import { createProblemLog } from '../../producers/problem-log.ts';
import { RecordBuffer } from '../../producers/record-buffer.ts';
import { createSpillSide } from '../../producers/spill/create-spill-side.ts';
import type { Transport } from '../../producers/transport.ts';
import { metricValue } from './metric-value.ts';

/** What a test may choose; all else is set so that chunks fill or are flushed, and nothing happens by itself. */
export interface ObserverChoices {
  settings?: Partial<ObserverSettings>;
  /** null: an observer without a queue */
  transport: Transport | null;
  bufferRecords?: number;
  bufferBytes?: number;
  chunkRecords?: number;
  maxWaitMs?: number;
  recordMaxBytes?: number;
  random?: () => number;
  now?: () => number;
  metrics?: ProducerMetrics;
  /** @default no spill */
  spill?: { dir: string; maxBytes?: number };
}

/** An observer of real parts over a given transport, as `createExecutionObserver` makes one over Redis. */
export function anObserver(choices: ObserverChoices) {
  const registry = new Registry();
  const lines: { count: number; message: string }[] = [];
  const problems = createProblemLog({
    warn: (fields, message) => lines.push({ ...(fields as { count: number }), message }),
  });
  const metrics = choices.metrics ?? createProducerMetrics(registry, () => observer.depth());
  const { transport } = choices;

  const observer: ExecutionObserver = new ExecutionObserver({
    settings: { enabled: true, sampleRate: 1, traceLimit: 200, ...choices.settings },
    recordMaxBytes: choices.recordMaxBytes ?? 65_536,
    metrics,
    pipeline: transport === null ? null : createPipeline(transport),
    problems,
    random: choices.random ?? (() => 0),
    now: choices.now ?? (() => Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  return {
    observer,
    registry,
    lines,
    value: (name: string, labels?: Record<string, string>) => metricValue(registry, name, labels),
  };

  function createPipeline(to: Transport) {
    const buffer = new RecordBuffer({
      maxRecords: choices.bufferRecords ?? 1_000,
      maxBytes: choices.bufferBytes ?? 100_000_000,
    });
    const limits = { maxRecords: choices.chunkRecords ?? 100, maxBytes: 1_000_000 };
    const sender = createChunkSender({
      buffer,
      chunker: createChunker(buffer, limits, { producer: 'test', epoch: 1 }),
      transport: to,
      maxWaitMs: choices.maxWaitMs ?? 60_000,
      // No wait before a send is repeated.
      random: () => 0,
      onSent: (records) => observer.acknowledge(records),
      onFailure: (error) => {
        metrics.sendFailed();
        problems.report('send_failed', error);
      },
      spill: choices.spill === undefined ? null : createSpill(choices.spill),
    });
    return { buffer, sender };

    function createSpill({ dir, maxBytes = 1_000_000_000 }: { dir: string; maxBytes?: number }) {
      return createSpillSide({
        settings: { dir, maxBytes, fsyncMs: 500 },
        namespace: 'test',
        queue: 'execution-log',
        life: 'test-1700000000000',
        observer: () => observer,
        registry,
        problems,
        now: Date.now,
        onFound: () => sender.replay(),
      });
    }
  }
}
