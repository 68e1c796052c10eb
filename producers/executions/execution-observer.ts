import { toError } from '../../shared/platform/errors.ts';
import { readActiveSpan } from '../core/active-span.ts';
import type { DeliveryCounts } from '../core/delivery-ledger.ts';
import { LazyRecord } from '../core/lazy-record.ts';
import { createPipeline, type DrainResult, type Pipeline } from '../core/pipeline.ts';
import type { PipelineParts } from '../core/pipeline-parts.ts';
import type { ProblemLog } from '../core/problem-log.ts';
import type { BufferDepth, Entry } from '../core/record-buffer.ts';
import type { Redaction } from '../core/redact.ts';
import type { Tally } from '../core/tally.ts';
import { TextBlocks } from '../core/text-blocks.ts';
import { createBackgroundWriter } from './background-writer.ts';
import type { Execution } from './execution.ts';
import type { ExecutionMetrics } from './execution-metrics.ts';
import { captureExecutionRecord, toStatus } from './execution-record.ts';

/** Settings that can change while the observer runs. */
export interface ObserverSettings {
  /** false: nothing is stored, not even failures; the metrics go on */
  enabled: boolean;
  /** the share of ok runs to keep, 0 to 1; failures are always kept */
  sampleRate: number;
  /** how many entries of a trace to keep; 0 or less keeps all */
  traceLimit: number;
}

/**
 * What became of every record since the observer was created. `recorded` is the sum of `sampledOut`, `disabled`, `dropped` and
 * `kept`. `kept` is the sum of the buffer, `spilled`, `takenOver`, `sent` and `refused`.
 */
export interface ObserverStats extends DeliveryCounts {
  /** calls of record() */
  recorded: number;
  sampledOut: number;
  /** recorded while disabled, or without a queue */
  disabled: number;
  /** no room, recorded after close, unsent at close, damaged on disk, or unreadable */
  dropped: number;
  /** kept: in the buffer, on disk, taken over or sent */
  kept: number;
}

/** The part of an observer that scoring code needs. */
export interface ExecutionSink {
  /** Synchronous, never throws, never waits. */
  record(execution: Execution): void;
}

/**
 * The labels that a drop is counted under. These are the texts that the metrics keep anyway, and not the caller's own, which
 * may be of any length and would wait in the buffer with their record.
 */
interface DropLabels {
  readonly realm: string | null;
  readonly strategyType: string | null;
}

const noLabels: DropLabels = { realm: null, strategyType: null };

/** An execution in the buffer. */
export interface ExecutionEntry extends Entry, DropLabels {
  readonly tally: Tally;
}

/** The parts of an observer; `createExecutionObserver` creates them. */
export interface ObserverParts {
  settings: ObserverSettings;
  /** bytes of JSON of one record */
  recordMaxBytes: number;
  metrics: ExecutionMetrics;
  /** null: metrics only, nothing is stored */
  pipeline: PipelineParts | null;
  problems: ProblemLog;
  /** for what leaves the process. @default none */
  redaction?: Redaction | null;
  /** uniform in [0, 1); called once for each ok run while the rate is above 0, and for nothing else */
  random: () => number;
  /** ms since 1970 */
  now: () => number;
}

/** Of an observer without a queue. */
const nothingDelivered: DeliveryCounts = { sent: 0, refused: 0, spilled: 0, takenOver: 0, recovered: 0 };
const nothingFlushed: DrainResult = { flushed: 0, unflushed: 0, spilled: 0 };

/** Reports executions: updates the metrics at once and sends sampled records to the queue in the background. */
export class ExecutionObserver implements ExecutionSink {
  readonly #parts: ObserverParts;
  readonly #pipeline: Pipeline<ExecutionEntry> | null;
  readonly #writer = createBackgroundWriter();
  // Successes may be evicted, and failures not, so they do not share memory.
  readonly #blocks = { successes: new TextBlocks(), failures: new TextBlocks() };
  #settings: ObserverSettings;
  readonly #stats: Omit<ObserverStats, keyof DeliveryCounts> = {
    recorded: 0,
    sampledOut: 0,
    disabled: 0,
    dropped: 0,
    kept: 0,
  };

  constructor(parts: ObserverParts) {
    const { metrics, pipeline } = parts;
    this.#parts = parts;
    this.#settings = checkObserverSettings(parts.settings);
    this.#pipeline =
      pipeline &&
      createPipeline<ExecutionEntry>({
        ...pipeline,
        waiters: null,
        listener: {
          onSent: (records) => metrics.sent(records),
          onRefused: (records) => metrics.refused(records),
          onSendFailed: () => metrics.sendFailed(),
          onDropped: (records, entries) => {
            for (let index = 0; index < records; index += 1) this.#dropKept(entries[index] ?? noLabels);
          },
        },
      });
  }

  /**
   * Reports one execution. Synchronous, never throws, never waits for anything.
   *
   * First it updates the metrics. Then, if enabled and with a queue, it keeps a failure and samples an ok run. What it keeps is
   * cut, made storable and copied, so that later changes to the object do not matter, and put into the buffer. If the buffer is
   * full, ok runs are dropped before failures, and every drop is counted.
   */
  record(execution: Execution): void {
    this.#stats.recorded += 1;
    try {
      this.#record(execution);
    } catch (thrown) {
      // Only a value that is no execution gets here: null, or an object whose getters throw.
      this.#pipeline?.tallies.of(null).drop('unreadable');
      this.#drop(noLabels, toError(thrown));
    }
  }

  #record(execution: Execution): void {
    const pipeline = this.#pipeline;
    const status = toStatus(execution.status);
    const labels = this.#observe(execution, status);

    if (!this.#settings.enabled || pipeline === null) {
      if (pipeline !== null) pipeline.tallies.of(realmOf(execution)).disabled += 1;
      this.#stats.disabled += 1;
      this.#parts.metrics.disabled();
      return;
    }
    const failure = status !== 'ok';
    const { sampleRate } = this.#settings;
    if (!failure && !(sampleRate > 0 && this.#parts.random() < sampleRate)) {
      pipeline.tallies.of(realmOf(execution)).sampledOut += 1;
      this.#stats.sampledOut += 1;
      this.#parts.metrics.sampledOut();
      return;
    }
    const tally = pipeline.tallies.of(realmOf(execution));
    if (pipeline.isClosing) {
      tally.drop('closed');
      this.#drop(labels, null);
      return;
    }
    const captured = captureExecutionRecord(execution, {
      nowMs: this.#parts.now(),
      sampleRate,
      traceLimit: this.#settings.traceLimit,
      maxBytes: this.#parts.recordMaxBytes,
      span: readActiveSpan(),
      redaction: this.#parts.redaction,
    });
    const { realm, strategyType } = labels;
    const record = new LazyRecord(captured, failure ? this.#blocks.failures : this.#blocks.successes);
    const entry: ExecutionEntry = { record, bytes: captured.bytes, failure, realm, strategyType, tally };
    this.#stats.kept += 1;
    tally.waiting += 1;
    this.#writer.write(record);
    for (const dropped of pipeline.buffer.offer(entry)) {
      dropped.record.letGo();
      dropped.tally.dropWaiting('bufferFull');
      this.#dropKept(dropped);
    }
    pipeline.notify();
  }

  #observe(execution: Execution, status: string): DropLabels {
    try {
      return this.#parts.metrics.observe({
        realm: execution.realmId,
        strategyType: execution.strategyType,
        status,
        errorCode: execution.errorCode,
        durationMs: execution.durationMs,
        nodesExecuted: execution.nodesExecuted,
      });
    } catch (thrown) {
      this.#parts.problems.report('metrics_failed', toError(thrown));
      return noLabels;
    }
  }

  /** Changes settings for all later records. @throws RangeError when a value is out of range */
  configure(changes: Partial<ObserverSettings>): void {
    this.#settings = checkObserverSettings({ ...this.#settings, ...changes });
  }

  /** A copy of the counts. */
  stats(): ObserverStats {
    return { ...this.#stats, ...(this.#pipeline?.counts ?? nothingDelivered) };
  }

  /** Records and bytes in the buffer now, including those that are being sent. */
  depth(): BufferDepth {
    return this.#pipeline?.buffer.held ?? { records: 0, bytes: 0 };
  }

  /**
   * Sends what is buffered without waiting for full chunks, and what is on disk, including that of earlier sessions. Takes at
   * most `timeoutMs`; what is left stays where it is.
   *
   * @param options.timeoutMs in ms. @default 30000
   */
  async flush(options?: { timeoutMs?: number }): Promise<DrainResult> {
    return (await this.#pipeline?.flush(options)) ?? nothingFlushed;
  }

  /** The same as `flush`, by its name in the system that Sluice replaces. */
  drain(options?: { timeoutMs?: number }): Promise<DrainResult> {
    return this.flush(options);
  }

  /**
   * Flushes and stops. Takes at most about `timeoutMs`, whatever Redis does; what could not be sent by then is dropped and
   * counted. With a spill it is written to disk instead, which may take two more seconds, and waits for the next session.
   * Records that come after the call are dropped and counted too. A second call gets the result of the first.
   *
   * At the end the metrics leave the registry, so another observer can use it. `stats()` has what was not scraped by then.
   *
   * @param options.timeoutMs in ms. @default 5000
   */
  async close(options?: { timeoutMs?: number }): Promise<DrainResult> {
    try {
      return (await this.#pipeline?.close(options)) ?? nothingFlushed;
    } finally {
      this.#parts.problems.close();
      this.#parts.metrics.close();
    }
  }

  #dropKept(labels: DropLabels): void {
    this.#stats.kept -= 1;
    this.#drop(labels, null);
  }

  #drop(labels: DropLabels, error: Error | null): void {
    this.#stats.dropped += 1;
    this.#parts.metrics.dropped(labels.realm, labels.strategyType);
    this.#parts.problems.report('dropped', error);
  }
}

/** What the caller gives as one. */
function realmOf(execution: Execution): unknown {
  try {
    return execution.realmId;
  } catch {
    return null;
  }
}

/** Accepts everything and does nothing: for code that runs without observability. */
export class NoopExecutionObserver implements ExecutionSink {
  record(_execution: Execution): void {
    // intentionally nothing
  }
}

/** @throws RangeError that names the setting that is out of range */
export function checkObserverSettings(settings: ObserverSettings): ObserverSettings {
  const { sampleRate, traceLimit } = settings;
  if (!(sampleRate >= 0 && sampleRate <= 1))
    throw new RangeError(`sampleRate is ${sampleRate}; accepted: a number from 0 to 1`);
  if (!Number.isInteger(traceLimit))
    throw new RangeError(`traceLimit is ${traceLimit}; accepted: a whole number, 0 or less keeps all`);
  return settings;
}
