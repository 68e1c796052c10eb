import { toError } from '../../shared/platform/errors.ts';
import { countRecords, type OutgoingChunk } from '../core/chunker.ts';
import type { Pipeline } from '../core/create-pipeline.ts';
import { type DrainResult, withDeadline } from '../core/drain.ts';
import type { ProblemLog } from '../core/problem-log.ts';
import type { BufferDepth, Entry } from '../core/record-buffer.ts';
import { createBackgroundWriter } from './background-writer.ts';
import type { Execution } from './execution.ts';
import type { ProducerMetrics } from './execution-metrics.ts';
import { type TakenRecord, takeExecutionRecord, toStatus } from './execution-record.ts';

/** Settings that may change while the observer runs. */
export interface ObserverSettings {
  /** false: no rows at all, failures included; metrics go on */
  enabled: boolean;
  /** share of ok runs to keep, 0 to 1; failures are always kept */
  sampleRate: number;
  /** entries of a trace to keep; 0 or less keeps all */
  traceLimit: number;
}

/**
 * What became of every record since the observer was made. `recorded` is the sum of `sampledOut`, `disabled`, `dropped`
 * and `kept`; what is kept is in the buffer, `spilled`, `takenOver`, `sent` or `refused`.
 */
export interface ObserverStats {
  /** calls of record() */
  recorded: number;
  sampledOut: number;
  /** recorded while disabled, or without a queue */
  disabled: number;
  /** turned away or evicted for want of room, recorded after close, left unsent by close, damaged on disk, or unreadable */
  dropped: number;
  /** kept: in the buffer, on disk, taken over or sent */
  kept: number;
  /** of those kept: acknowledged by Redis, whether they had been on disk or not */
  sent: number;
  /** of those kept: refused by Redis for what they are, and left out */
  refused: number;
  /** of those kept: on disk, waiting for Redis; 0 without a spill */
  spilled: number;
  /** of those kept: on disk when another life took this one for dead, after a long stall; that one sends them */
  takenOver: number;
  /** records of former lives that were on disk and reached Redis; they are in no other account */
  recovered: number;
}

/** What scoring code needs to know of an observer. */
export interface ExecutionSink {
  /** Synchronous, never throws, never waits. */
  record(execution: Execution): void;
}

/**
 * What a drop is counted under: texts that the metrics keep anyway, and not the caller's own, which may be of any length and
 * wait in the buffer for as long as their record.
 */
interface DropLabels {
  readonly realm: string | null;
  readonly strategyType: string | null;
}

const noLabels: DropLabels = { realm: null, strategyType: null };

/** An execution in the buffer, and what its drop would be counted under. */
export interface ExecutionEntry extends Entry, DropLabels {}

/** The parts that an observer is put together from; `createExecutionObserver` does that. */
export interface ObserverParts {
  settings: ObserverSettings;
  /** bytes of JSON of one record */
  recordMaxBytes: number;
  metrics: ProducerMetrics;
  /** null: metrics only, nothing is stored */
  pipeline: Pipeline<ExecutionEntry> | null;
  problems: ProblemLog;
  /** uniform in [0, 1); asked once for each ok run while the rate is above 0, and for nothing else */
  random: () => number;
  /** ms since 1970 */
  now: () => number;
}

const defaultDrainTimeoutMs = 30_000;
const defaultCloseTimeoutMs = 5_000;

/** Reports executions: metrics at once, and a sampled record to the queue in the background. */
export class ExecutionObserver implements ExecutionSink {
  readonly #parts: ObserverParts;
  readonly #writer = createBackgroundWriter();
  #settings: ObserverSettings;
  #closing: Promise<DrainResult> | null = null;
  readonly #stats: ObserverStats = {
    recorded: 0,
    sampledOut: 0,
    disabled: 0,
    dropped: 0,
    kept: 0,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  };

  constructor(parts: ObserverParts) {
    this.#parts = parts;
    this.#settings = checkObserverSettings(parts.settings);
  }

  /**
   * Reports one execution. Synchronous, never throws, never waits for anything.
   *
   * In this order: metrics; then, if enabled and with a queue, a failure is kept and an ok run is sampled; what is kept
   * is cut, made storable and copied, so that later changes to the object do not matter; then it is buffered. When the
   * buffer is full, ok runs are dropped before failures, and every drop is counted.
   */
  record(execution: Execution): void {
    this.#stats.recorded += 1;
    try {
      this.#record(execution);
    } catch (thrown) {
      // Only a value that is no execution at all gets here: null, or one whose getters throw.
      this.#drop(noLabels, toError(thrown));
    }
  }

  #record(execution: Execution): void {
    const { buffer, sender } = this.#parts.pipeline ?? {};
    const status = toStatus(execution.status);
    const labels = this.#observe(execution, status);

    if (!this.#settings.enabled || buffer === undefined || sender === undefined) {
      this.#stats.disabled += 1;
      this.#parts.metrics.disabled();
      return;
    }
    const failure = status !== 'ok';
    const { sampleRate } = this.#settings;
    if (!failure && !(sampleRate > 0 && this.#parts.random() < sampleRate)) {
      this.#stats.sampledOut += 1;
      this.#parts.metrics.sampledOut();
      return;
    }
    if (this.#closing !== null) {
      this.#drop(labels, null);
      return;
    }
    const taken = takeExecutionRecord(execution, {
      nowMs: this.#parts.now(),
      sampleRate,
      traceLimit: this.#settings.traceLimit,
      maxBytes: this.#parts.recordMaxBytes,
    });
    const entry = toEntry(taken, failure, labels);
    this.#stats.kept += 1;
    this.#writer.write(entry);
    for (const dropped of buffer.offer(entry)) {
      this.#stats.kept -= 1;
      this.#drop(dropped, null);
    }
    sender.notify();
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

  /** Changes settings from the next record on. @throws RangeError when a value is out of its range */
  configure(changes: Partial<ObserverSettings>): void {
    this.#settings = checkObserverSettings({ ...this.#settings, ...changes });
  }

  /** A copy of the accounts. */
  stats(): ObserverStats {
    return { ...this.#stats };
  }

  /** Records and bytes in the buffer now, those being sent included. */
  depth(): BufferDepth {
    return this.#parts.pipeline?.buffer.held ?? { records: 0, bytes: 0 };
  }

  /**
   * Sends what is buffered without waiting for full chunks, and what is on disk, that of former lives included. Takes at
   * most `timeoutMs`; what is left stays where it is.
   *
   * @param options.timeoutMs in ms. @default 30000
   */
  async drain({ timeoutMs = defaultDrainTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
    const { pipeline } = this.#parts;
    const sentBefore = this.#stats.sent;
    if (pipeline && this.#closing === null) await withDeadline(timeoutMs, (signal) => pipeline.sender.flush(signal));
    return {
      flushed: this.#stats.sent - sentBefore,
      unflushed: this.depth().records,
      spilled: this.#stats.spilled,
    };
  }

  /**
   * Flushes and stops. Takes at most about `timeoutMs`, whatever Redis does; what could not be sent by then is dropped and
   * counted. With a spill it is written to disk instead, which may take two seconds more, and waits for the next life.
   * Records that come after the call are dropped and counted too. A second call gets the result of the first.
   *
   * At its end the metrics leave the registry, so another observer may have it; what was not scraped by then, `stats()` says.
   *
   * @param options.timeoutMs in ms. @default 5000
   */
  close({ timeoutMs = defaultCloseTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<DrainResult> {
    const { metrics, pipeline } = this.#parts;
    try {
      return pipeline === null ? { flushed: 0, unflushed: 0, spilled: 0 } : await this.#stop(pipeline, timeoutMs);
    } finally {
      pipeline?.close();
      this.#parts.problems.close();
      metrics.close();
    }
  }

  async #stop(pipeline: Pipeline<ExecutionEntry>, timeoutMs: number): Promise<DrainResult> {
    const sentBefore = this.#stats.sent;
    await withDeadline(timeoutMs, (signal) => pipeline.sender.flush(signal));
    const unsent = await pipeline.sender.stop();
    for (const entry of unsent) {
      this.#stats.kept -= 1;
      this.#drop(entry, null);
    }
    return {
      flushed: this.#stats.sent - sentBefore,
      unflushed: unsent.length,
      spilled: this.#stats.spilled,
    };
  }

  /** Called by the pipeline for chunks from memory that Redis has acknowledged. */
  sent(chunks: readonly OutgoingChunk[]): void {
    this.#acknowledge(countRecords(chunks));
  }

  /** Called by the pipeline for a record from memory that Redis refuses for good. */
  refused(): void {
    this.#refuse(1);
  }

  /** Called by the pipeline for records of this life that were on disk and that Redis refuses for good. */
  refusedOnDisk({ length }: readonly unknown[]): void {
    this.#stats.spilled -= length;
    this.#refuse(length);
  }

  /** Called by the pipeline for chunks that were written to disk. */
  spilled(chunks: readonly OutgoingChunk[]): void {
    this.#stats.spilled += countRecords(chunks);
  }

  /** Called by the pipeline for records of this life that were on disk and are in Redis now. */
  replayed({ records }: { records: number }): void {
    this.#stats.spilled -= records;
    this.#acknowledge(records);
  }

  /** Called by the pipeline for records of former lives that reached Redis. */
  recovered(records: number): void {
    this.#stats.recovered += records;
  }

  /** Called by the pipeline for records of this life that are damaged on disk, or gone from it. */
  lost(records: number): void {
    this.#stats.spilled -= records;
    this.#stats.kept -= records;
    for (let record = 0; record < records; record += 1) this.#drop(noLabels, null);
  }

  /** Called by the pipeline for records of this life that another life has taken over. */
  takenOver(records: number): void {
    this.#stats.spilled -= records;
    this.#stats.takenOver += records;
  }

  #acknowledge(records: number): void {
    this.#stats.sent += records;
    this.#parts.metrics.sent(records);
  }

  #refuse(records: number): void {
    this.#stats.refused += records;
    this.#parts.metrics.refused(records);
  }

  #drop(labels: DropLabels, error: Error | null): void {
    this.#stats.dropped += 1;
    this.#parts.metrics.dropped(labels.realm, labels.strategyType);
    this.#parts.problems.report('dropped', error);
  }
}

/** Accepts everything, does nothing: for code that runs without observability. */
export class NoopExecutionObserver implements ExecutionSink {
  record(_execution: Execution): void {
    // nothing, on purpose
  }
}

function toEntry(taken: TakenRecord, failure: boolean, { realm, strategyType }: DropLabels): ExecutionEntry {
  return {
    get json() {
      return taken.json;
    },
    bytes: taken.bytes,
    failure,
    realm,
    strategyType,
  };
}

/** @throws RangeError that names the setting which is out of its range */
export function checkObserverSettings(settings: ObserverSettings): ObserverSettings {
  const { sampleRate, traceLimit } = settings;
  if (!(sampleRate >= 0 && sampleRate <= 1))
    throw new RangeError(`sampleRate is ${sampleRate}; accepted: a number from 0 to 1`);
  if (!Number.isInteger(traceLimit))
    throw new RangeError(`traceLimit is ${traceLimit}; accepted: a whole number, 0 or less keeps all`);
  return settings;
}
