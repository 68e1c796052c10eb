import { Registry } from 'prom-client';
import { expect, onTestFinished } from 'vitest';
import type { PipelineParts } from '../../producers/core/pipeline-parts.ts';
import { createProblemLog } from '../../producers/core/problem-log.ts';
import type { Transport } from '../../producers/core/transport.ts';
import { createExecutionMetrics, type ExecutionMetrics } from '../../producers/executions/execution-metrics.ts';
import {
  ExecutionObserver,
  type ObserverSettings,
  type ObserverStats,
} from '../../producers/executions/execution-observer.ts';
import { aLastingCopy } from './lasting-registry.ts';
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
  metrics?: ExecutionMetrics;
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
  const metrics = choices.metrics ?? createExecutionMetrics(registry, () => observer.depth());
  const { transport, now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) } = choices;

  const observer: ExecutionObserver = new ExecutionObserver({
    settings: { enabled: true, sampleRate: 1, traceLimit: 200, ...choices.settings },
    recordMaxBytes: choices.recordMaxBytes ?? 65_536,
    metrics,
    pipeline: transport === null ? null : partsOf(transport),
    problems,
    random: choices.random ?? (() => 0),
    now,
  });
  const lasting = aLastingCopy(registry);
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  return {
    observer,
    registry,
    lines,
    value: (name: string, labels?: Record<string, string>) => metricValue(lasting, name, labels),
  };

  function partsOf(to: Transport): PipelineParts {
    return {
      queue: 'execution-log',
      namespace: 'test',
      identity: { producer: 'test', epoch: 1, life: 'a' },
      transport: to,
      buffer: { maxRecords: choices.bufferRecords ?? 1_000, maxBytes: choices.bufferBytes ?? 100_000_000 },
      settings: {
        chunk: {
          maxRecords: choices.chunkRecords ?? 100,
          maxBytes: 1_000_000,
          maxWaitMs: choices.maxWaitMs ?? 60_000,
        },
        spill: { dir: null, maxBytes: 1_000_000_000, fsyncMs: 500, ...choices.spill },
      },
      registry,
      problems,
      // No wait before a send is repeated.
      random: () => 0,
      now,
    };
  }
}

/** The labels of the metrics of `anExecution`. */
export const labels = { realm: 'realm-1', strategy_type: 'DSL_FULL' };

/** Each record has one outcome. */
export function expectBalanced(stats: ObserverStats): void {
  expect(stats.recorded).toBe(stats.sampledOut + stats.disabled + stats.dropped + stats.kept);
  expect(stats.sent).toBeLessThanOrEqual(stats.kept);
}
