import { setImmediate as nextTurn } from 'node:timers/promises';
import { readActiveSpan } from '../core/active-span.ts';
import { countRecords, type OutgoingChunk } from '../core/chunker.ts';
import type { Pipeline } from '../core/create-pipeline.ts';
import { type DrainResult, withDeadline } from '../core/drain.ts';
import type { ProblemLog } from '../core/problem-log.ts';
import type { BufferDepth } from '../core/record-buffer.ts';
import type { RecordRefusedError } from '../core/refusal.ts';
import type { RefusedOnDisk } from '../core/send-apart.ts';
import { RecordTooLargeError, SendAbortedError, SenderClosedError } from '../core/send-errors.ts';
import type { SpillBatch } from '../spill/batch-reader.ts';
import { Arrival, type AwaitedEntry, createArrivals } from './arrivals.ts';
import type { BegunRequest, CompletedRequest, SenderStats } from './completed-request.ts';
import { RequestCandidate } from './request-candidate.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { type RequestContext, type TakenRequest, takeBegunRequest, takeCompletedRequest } from './request-record.ts';
import { SendQueue } from './send-queue.ts';
import { untilAborted } from './until-aborted.ts';

/** How a record is to be sent. */
export interface SendOptions {
  /** Ends the wait. A record that was accepted before is sent all the same. */
  signal?: AbortSignal | undefined;
  /** true: resolves only when the record is in Redis, and not when it is accepted. @default false */
  durable?: boolean | undefined;
}

/** The parts that a sender is put together from; `createCompletedRequestSender` does that. */
export interface SenderParts {
  pipeline: Pipeline<AwaitedEntry>;
  /** bytes of JSON: no record is larger than the buffer */
  maxBytes: number;
  record: Omit<RequestContext, 'nowMs' | 'span'>;
  metrics: RequestMetrics;
  problems: ProblemLog;
  /** ms since 1970 */
  now: () => number;
}

const defaultFlushTimeoutMs = 30_000;
const defaultCloseTimeoutMs = 5_000;

/**
 * Sends the records of requests to the queue: into a bounded buffer at once, and in chunks to Redis in the background.
 * While the buffer is full, sends wait, in order; nothing that was accepted is dropped to make room.
 */
export class CompletedRequestSender {
  readonly #parts: SenderParts;
  readonly #sendQueue: SendQueue<RequestCandidate>;
  readonly #arrivals = createArrivals();
  readonly #stats: Omit<SenderStats, 'waiting'> = {
    accepted: 0,
    refused: 0,
    aborted: 0,
    closed: 0,
    declined: 0,
    sent: 0,
    rejected: 0,
    spilled: 0,
    takenOver: 0,
    dropped: 0,
    recovered: 0,
  };
  #closing: Promise<DrainResult> | null = null;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#sendQueue = new SendQueue({
      admit: (candidate) => this.#admit(candidate),
      onWaited: (waitedMs, error) => {
        parts.metrics.waited(waitedMs / 1_000);
        // Here and not where the caller hears of it, which is a turn later: the accounts add up at any moment.
        if (error !== null) this.#count(error);
      },
    });
  }

  /**
   * Sends the record of a request that has ended. Resolves when it is accepted into the buffer, or, with `durable`, when
   * it is in Redis. Waits while the buffer is full, behind those that came before.
   *
   * The record is written on the caller's thread: see docs/completed-requests.md for what that costs. A send that has to wait holds on to
   * the bodies and writes when there is room, so what waits takes no memory beyond what the caller gave; bytes must not
   * change until then.
   *
   * @throws TypeError when the request is no object, or has no proper `requestId` or `createdBy`. All else is mended.
   * @throws RecordTooLargeError when it is larger than the whole buffer
   * @throws SendAbortedError (`name` AbortError) when `signal` aborts
   * @throws SenderClosedError after `close`, or when it ends the wait
   * @throws RecordRefusedError with `durable`, when Redis refuses this record for good; it is left out
   */
  send(request: CompletedRequest, options: SendOptions = {}): Promise<void> {
    return this.#send(takeCompletedRequest, request, options);
  }

  /**
   * As `send`, for a request that still runs: its row is there, in state processing, before its end. A background request
   * wants `durable` before its caller is told that it runs.
   */
  begin(request: BegunRequest, options: SendOptions = {}): Promise<void> {
    return this.#send(takeBegunRequest, request, options);
  }

  /**
   * As `send`, without waiting: false when there is no room, or others wait before it, and then the record is not accepted.
   *
   * @throws as `send`, but never for an abort
   */
  trySend(request: CompletedRequest): boolean {
    return this.#counted(() => {
      this.#refuseWhenClosed();
      const isAccepted = this.#sendQueue.size === 0 && this.#admit(this.#take(takeCompletedRequest, request, null));
      if (!isAccepted) this.#stats.declined += 1;
      return isAccepted;
    });
  }

  /** A copy of the accounts. */
  stats(): SenderStats {
    return { ...this.#stats, waiting: this.#sendQueue.size };
  }

  /** Records and bytes in the buffer now, those being sent included, those that wait for room not. */
  depth(): BufferDepth {
    return this.#parts.pipeline.buffer.held;
  }

  /**
   * Sends what is buffered without waiting for full chunks, what waits for room, and what is on disk, that of former lives
   * included. Takes at most `timeoutMs`; what is left stays where it is.
   *
   * @param options.timeoutMs in ms. @default 30000
   */
  async flush({ timeoutMs = defaultFlushTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
    const sentBefore = this.#stats.sent;
    if (this.#closing === null) await this.#flush(timeoutMs);
    return {
      flushed: this.#stats.sent - sentBefore,
      unflushed: this.depth().records,
      spilled: this.#stats.spilled,
    };
  }

  /**
   * Flushes and stops. Takes at most about `timeoutMs`, whatever Redis does. Sends that wait are let in as long as that
   * lasts; those still waiting then are rejected. What was accepted and could not be sent by then is dropped and counted;
   * with a spill it is written to disk instead, which may take two seconds more, and waits for the next life. Sends that
   * come after the call are rejected. A second call gets the result of the first.
   *
   * At its end the metrics leave the registry, so another sender may have it; what was not scraped by then, `stats()` says.
   *
   * @param options.timeoutMs in ms. @default 5000
   */
  close({ timeoutMs = defaultCloseTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  /** Called by the pipeline for chunks from memory that Redis has acknowledged. */
  sent(chunks: readonly OutgoingChunk<AwaitedEntry>[]): void {
    this.#stats.sent += countRecords(chunks);
    this.#arrivals.sent(chunks);
    this.#sendQueue.admitWaiting();
  }

  /** Called by the pipeline for a record from memory that Redis refuses for good. */
  refused({ arrival }: AwaitedEntry, error: RecordRefusedError): void {
    this.#stats.rejected += 1;
    arrival?.fail(error);
    this.#sendQueue.admitWaiting();
  }

  /** Called by the pipeline for records of this life that were on disk and that Redis refuses for good. */
  refusedOnDisk(refused: readonly RefusedOnDisk[]): void {
    this.#stats.spilled -= refused.length;
    this.#stats.rejected += refused.length;
    this.#arrivals.refusedOnDisk(refused);
    this.#noteDisk();
  }

  /** Called by the pipeline for chunks that were written to disk. */
  spilled(chunks: readonly OutgoingChunk<AwaitedEntry>[]): void {
    this.#stats.spilled += countRecords(chunks);
    this.#arrivals.spilled(chunks);
    this.#sendQueue.admitWaiting();
  }

  /** Called by the pipeline for chunks of this life that were on disk and are in Redis now. */
  replayed({ chunks, records }: Pick<SpillBatch, 'chunks' | 'records'>): void {
    this.#stats.spilled -= records;
    this.#stats.sent += records;
    this.#arrivals.replayed(chunks);
    this.#noteDisk();
  }

  /** Called by the pipeline for records of former lives that reached Redis. */
  recovered(records: number): void {
    this.#stats.recovered += records;
  }

  /** Called by the pipeline for records of this life that are damaged on disk, or gone from it. */
  lost(records: number): void {
    this.#stats.spilled -= records;
    this.#drop(records);
    this.#noteDisk();
  }

  /** Called by the pipeline for records of this life that another life has taken over. */
  takenOver(records: number): void {
    this.#stats.spilled -= records;
    this.#stats.takenOver += records;
    this.#noteDisk();
  }

  /** Whoever waits for a record that was on disk waits in vain when nothing is there any more. */
  #noteDisk(): void {
    if (this.#stats.spilled === 0) this.#arrivals.diskIsEmpty();
  }

  async #send<R>(take: Take<R>, request: R, { signal, durable = false }: SendOptions): Promise<void> {
    const arrival = durable ? new Arrival() : null;
    // Up to here and to the first await all is done in the caller's turn, so sends are accepted in the order of the calls.
    await this.#counted(() => this.#accept(this.#take(take, request, arrival), signal));
    if (arrival !== null) await untilAborted(arrival.promise, signal, { isAccepted: true });
  }

  /** Null when the record was accepted at once. */
  #accept(candidate: RequestCandidate, signal: AbortSignal | undefined): Promise<void> | null {
    this.#refuseWhenClosed();
    if (signal?.aborted) throw new SendAbortedError(signal, { isAccepted: false });
    if (this.#sendQueue.size === 0 && this.#admit(candidate)) return null;
    return this.#sendQueue.enter(candidate, signal);
  }

  #take<R>(take: Take<R>, request: R, arrival: Arrival | null): RequestCandidate {
    const { maxBytes, now, record } = this.#parts;
    const taken = take(request, { ...record, nowMs: now(), span: readActiveSpan() });
    if (taken.leastBytes > maxBytes) throw new RecordTooLargeError(taken.leastBytes, maxBytes);
    return new RequestCandidate(taken, arrival);
  }

  #admit(candidate: RequestCandidate): boolean {
    const { maxBytes, pipeline } = this.#parts;
    // Not written before it may fit: what waits would take twice the memory.
    if (!pipeline.buffer.hasRoomFor(candidate.leastBytes)) return false;
    const { entry } = candidate;
    if (entry.bytes > maxBytes) throw new RecordTooLargeError(entry.bytes, maxBytes);
    if (!pipeline.buffer.hasRoomFor(entry.bytes)) return false;
    pipeline.buffer.offer(entry);
    this.#stats.accepted += 1;
    pipeline.sender.notify();
    return true;
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== null) throw new SenderClosedError('the sender is closed and accepts no more records');
  }

  #counted<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#count(error);
    }
  }

  #count(error: unknown): unknown {
    if (error instanceof SendAbortedError) this.#stats.aborted += 1;
    else if (error instanceof SenderClosedError) this.#stats.closed += 1;
    else this.#stats.refused += 1;
    return error;
  }

  #drop(records: number): void {
    this.#stats.dropped += records;
    for (let record = 0; record < records; record += 1) this.#parts.problems.report('dropped', null);
  }

  #flush(timeoutMs: number): Promise<void> {
    return withDeadline(timeoutMs, async (signal) => {
      do {
        await this.#parts.pipeline.sender.flush(signal);
        // Those who wait are let in over several turns, and the buffer may be empty in between.
        await nextTurn();
      } while (!signal.aborted && (this.#sendQueue.size > 0 || this.depth().records > 0));
    });
  }

  async #close(timeoutMs: number): Promise<DrainResult> {
    const { metrics, pipeline } = this.#parts;
    try {
      return await this.#stop(timeoutMs);
    } finally {
      pipeline.close();
      metrics.close(this.stats());
    }
  }

  async #stop(timeoutMs: number): Promise<DrainResult> {
    const { pipeline, problems } = this.#parts;
    const sentBefore = this.#stats.sent;
    await this.#flush(timeoutMs);
    this.#sendQueue.close(new SenderClosedError('the sender was closed before there was room for the record'));
    const unsent = await pipeline.sender.stop();
    this.#drop(unsent.length);
    this.#arrivals.close(unsent);
    problems.close();
    return { flushed: this.#stats.sent - sentBefore, unflushed: unsent.length, spilled: this.#stats.spilled };
  }
}

type Take<R> = (request: R, context: RequestContext) => TakenRequest;
