import { readActiveSpan } from '../core/active-span.ts';
import { type AwaitedAck, createAck } from '../core/delivery-acks.ts';
import { LazyRecord } from '../core/lazy-record.ts';
import { createPipeline, type DrainResult, type Pipeline } from '../core/pipeline.ts';
import type { PipelineParts } from '../core/pipeline-parts.ts';
import type { ProblemLog } from '../core/problem-log.ts';
import type { BufferDepth, DeliveryAck, Entry } from '../core/record-buffer.ts';
import { RecordTooLargeError, SendAbortedError, SenderClosedError } from '../core/send-errors.ts';
import type { BegunRequest, CompletedRequest, SenderStats } from './completed-request.ts';
import type { RequestMetrics } from './request-metrics.ts';
import {
  type CapturedRequest,
  captureBegunRequest,
  captureCompletedRequest,
  type RequestContext,
} from './request-record.ts';
import { SendQueue } from './send-queue.ts';
import { untilAborted } from './until-aborted.ts';

/** Options of a send. */
export interface SendOptions {
  /** aborts the wait. A record that was accepted before is still sent */
  signal?: AbortSignal | undefined;
  /** true: resolves only when the record is in Redis, not already when it is accepted. @default false */
  durable?: boolean | undefined;
}

/** The parts of a sender; `createCompletedRequestSender` creates them. */
export interface SenderParts {
  pipeline: PipelineParts;
  record: Omit<RequestContext, 'nowMs' | 'span'>;
  metrics: RequestMetrics;
  problems: ProblemLog;
  /** ms since 1970 */
  now: () => number;
}

/** A request on its way into the buffer. */
type Candidate = Required<Pick<Entry, 'record' | 'ack'>>;

/**
 * Sends the records of requests to the queue: at once into a bounded buffer, and from there to Redis in the background. While
 * the buffer is full, sends wait in order. Nothing that was accepted is dropped to make room.
 */
export class CompletedRequestSender {
  readonly #parts: SenderParts;
  readonly #sendQueue: SendQueue<Candidate>;
  readonly #pipeline: Pipeline<Entry>;
  readonly #stats = { accepted: 0, refused: 0, aborted: 0, closed: 0, declined: 0, dropped: 0 };

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#sendQueue = new SendQueue({
      admit: (candidate) => this.#admit(candidate),
      onWaited: (waitedMs, error) => {
        parts.metrics.waited(waitedMs / 1_000);
        // Not where the caller's promise rejects, which is a turn later: the counts must always add up.
        if (error !== null) this.#count(error);
      },
    });
    this.#pipeline = createPipeline<Entry>({
      ...parts.pipeline,
      waiters: this.#sendQueue,
      listener: {
        onSendFailed: () => parts.metrics.sendFailed(),
        onDropped: (records) => {
          this.#stats.dropped += records;
          for (let record = 0; record < records; record += 1) parts.problems.report('dropped', null);
        },
      },
    });
  }

  /**
   * Sends the record of a request that has ended. Resolves when the record is accepted into the buffer or, with `durable`, when
   * it is in Redis. Waits while the buffer is full, behind earlier sends.
   *
   * The record is serialised on the caller's thread; docs/completed-requests.md says what that costs. A send that has to wait
   * keeps the bodies and serialises them when there is room, so it takes no additional memory. Bytes must not change until
   * then.
   *
   * @throws TypeError when the request is no object, or has no valid `requestId` or `createdBy`. Everything else is repaired.
   * @throws RecordTooLargeError when it is larger than the whole buffer
   * @throws SendAbortedError (`name` AbortError) when `signal` aborts
   * @throws SenderClosedError after `close`, or when `close` ends the wait
   * @throws RecordRefusedError with `durable`, when Redis permanently refuses this record; it is left out
   */
  send(request: CompletedRequest, options: SendOptions = {}): Promise<void> {
    return this.#send(captureCompletedRequest, request, options);
  }

  /**
   * Like `send`, for a request that is still running: its row appears in state processing before its end. For a background
   * request, await this with `durable` before you tell the caller that it runs.
   */
  begin(request: BegunRequest, options: SendOptions = {}): Promise<void> {
    return this.#send(captureBegunRequest, request, options);
  }

  /**
   * Like `send`, but without waiting. Returns false if there is no room or others wait; then the record is not accepted.
   *
   * @throws like `send`, except for an abort
   */
  trySend(request: CompletedRequest): boolean {
    return this.#counted(() => {
      this.#refuseWhenClosed();
      const isAccepted =
        this.#sendQueue.size === 0 && this.#admit(this.#capture(captureCompletedRequest, request, null));
      if (!isAccepted) this.#stats.declined += 1;
      return isAccepted;
    });
  }

  /** A copy of the counts. */
  stats(): SenderStats {
    const { refused: rejected, ...counts } = this.#pipeline.counts;
    return { ...this.#stats, ...counts, rejected, waiting: this.#sendQueue.size };
  }

  /** Records and bytes in the buffer now, including those that are being sent, but not those that wait for room. */
  depth(): BufferDepth {
    return this.#pipeline.buffer.held;
  }

  /**
   * Sends what is buffered without waiting for full chunks, what waits for room, and what is on disk, including that of
   * earlier sessions. Takes at most `timeoutMs`; what is left stays where it is.
   *
   * @param options.timeoutMs in ms. @default 30000
   */
  flush(options?: { timeoutMs?: number }): Promise<DrainResult> {
    return this.#pipeline.flush(options);
  }

  /**
   * Flushes and stops. Takes at most about `timeoutMs`, whatever Redis does. Sends that wait are let in as long as that
   * lasts; those still waiting then are rejected. What was accepted and could not be sent by then is dropped and counted;
   * with a spill it is written to disk instead, which may take two more seconds, and waits for the next session. Sends that
   * come after the call are rejected. A second call gets the result of the first.
   *
   * At the end the metrics leave the registry, so another sender can use it. `stats()` has what was not scraped by then.
   *
   * @param options.timeoutMs in ms. @default 5000
   */
  async close(options?: { timeoutMs?: number }): Promise<DrainResult> {
    try {
      return await this.#pipeline.close(options);
    } finally {
      this.#parts.problems.close();
      this.#parts.metrics.close(this.stats());
    }
  }

  async #send<R>(capture: Capture<R>, request: R, { signal, durable = false }: SendOptions): Promise<void> {
    const ack: AwaitedAck | null = durable ? createAck() : null;
    // Everything up to the first await happens in the caller's turn, so sends are accepted in the order of the calls.
    await this.#counted(() => this.#accept(this.#capture(capture, request, ack), signal));
    if (ack !== null) await untilAborted(ack.promise, signal, { isAccepted: true });
  }

  /** Returns null if the record was accepted at once. */
  #accept(candidate: Candidate, signal: AbortSignal | undefined): Promise<void> | null {
    this.#refuseWhenClosed();
    if (signal?.aborted) throw new SendAbortedError(signal, { isAccepted: false });
    if (this.#sendQueue.size === 0 && this.#admit(candidate)) return null;
    return this.#sendQueue.enter(candidate, signal);
  }

  #capture<R>(capture: Capture<R>, request: R, ack: DeliveryAck | null): Candidate {
    const { now, pipeline, record } = this.#parts;
    const captured = capture(request, { ...record, nowMs: now(), span: readActiveSpan() });
    const { maxBytes } = pipeline.buffer;
    if (captured.leastBytes > maxBytes) throw new RecordTooLargeError(captured.leastBytes, maxBytes);
    return {
      record: new LazyRecord({
        bytes: captured.leastBytes,
        hasSpan: captured.hasSpan,
        write: () => captured.write(),
      }),
      ack,
    };
  }

  #admit({ record, ack }: Candidate): boolean {
    const { buffer, tallies } = this.#pipeline;
    // Not serialised before it may fit: a waiting send would take twice the memory.
    if (!buffer.hasRoomFor(record.bytes)) return false;
    record.serialize();
    const { bytes } = record;
    const { maxBytes } = this.#parts.pipeline.buffer;
    if (bytes > maxBytes) throw new RecordTooLargeError(bytes, maxBytes);
    if (!buffer.hasRoomFor(bytes)) return false;
    const tally = tallies.of(null);
    tally.waiting += 1;
    buffer.offer({ record, bytes, ack, tally });
    this.#stats.accepted += 1;
    this.#pipeline.notify();
    return true;
  }

  #refuseWhenClosed(): void {
    if (this.#pipeline.isClosing) throw new SenderClosedError('the sender is closed and accepts no more records');
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
}

type Capture<R> = (request: R, context: RequestContext) => CapturedRequest;
