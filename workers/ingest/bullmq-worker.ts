import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, WaitingError, Worker, type WorkerOptions } from 'bullmq';
import { mostCompressedBytes, readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import type { Release } from '../runtime/byte-semaphore.ts';
import type { Holdings } from '../runtime/holdings.ts';
import { heldBytes, type MemoryBudget } from '../runtime/memory-budget.ts';
import { refusedRetryMs } from '../runtime/redis-retry.ts';
import type { SlotShare, Slots } from '../runtime/slots.ts';
import { createNextJobs, type NextJobs } from './next-jobs.ts';

/** How a worker may fetch jobs. */
export interface FetchLimits {
  memory: MemoryBudget;
  /** that one job should take at most in memory; one that takes more is counted when it has come */
  maxJobBytes: number;
  redis: Redis;
  /** for jobs under way, shared with the workers of other shards */
  slots: Slots;
  /** what this worker has of the memory and of the slots */
  holdings: Holdings;
}

/** Jobs on their way at once, at most, where they are small: what is known of their sizes may be out of date. */
const maxOnTheirWay = 32;

/** A job that was fetched. */
interface Fetched {
  text: string;
  bytes: number;
  release: Release;
}

/** Room and a slot for a job that is about to be fetched. */
type Place = Release;

/**
 * A BullMQ worker that leaves the data of its jobs as text, and fetches only jobs that there is room for. BullMQ parses a
 * job when it is fetched: data that is not JSON would throw there, again and again, and data that is too much for a worker
 * would kill it before anybody could count. It also fetches jobs by their number, whatever their size, several at once.
 */
export class BullmqWorker extends Worker {
  readonly #limits: FetchLimits;
  readonly #slots: SlotShare;
  readonly #fetched = new Map<Job, Fetched>();
  /** of jobs that were fetched, until they are acknowledged */
  readonly #slotOf = new Map<Job, Release>();
  /** fetched, and not worked on yet */
  readonly #unstarted = new Set<Job>();
  /** the largest job that was seen counts, where it is larger than it should be */
  #maxJobBytes: number;
  readonly #next: NextJobs;
  #change = Promise.withResolvers<void>();

  constructor(
    name: string,
    process: (job: Job, token?: string) => Promise<void>,
    options: WorkerOptions,
    limits: FetchLimits,
  ) {
    super(name, process, options);
    this.#limits = limits;
    this.#slots = limits.slots.join(() => this.#tellOfChange());
    this.#maxJobBytes = limits.maxJobBytes;
    const { redis } = limits;
    this.#next = createNextJobs({ redis, queueKey: this.toKey('').slice(0, -1), onKnown: () => this.#tellOfChange() });
    for (const event of ['closing', 'paused'] as const) this.on(event, () => this.#tellOfChange());
  }

  /** The data of a job as it was received: JSON, if its producer kept to the contract. Empty when it was let go. */
  rawDataOf(job: Job): string {
    return this.#fetched.get(job)?.text ?? '';
  }

  /** What a job's data takes in memory, when it is decompressed. */
  heldBytesOf(job: Job): number {
    return this.#fetched.get(job)?.bytes ?? 0;
  }

  /** Forgets the data of a job that is done with. */
  letGo(job: Job): void {
    this.#fetched.get(job)?.release();
    this.#fetched.delete(job);
  }

  protected override createJob(...[json, jobId]: Parameters<Worker['createJob']>) {
    const job = super.createJob({ ...json, data: '{}' }, jobId);
    const asItCame = heldBytes(json.data);
    const bytes = asItCame + plainBytes(json.data);
    this.#maxJobBytes = Math.max(this.#maxJobBytes, bytes);
    if (asItCame > this.#expectedBytes) this.#next.forget();
    const { memory, holdings } = this.#limits;
    this.#fetched.set(job, { text: json.data, bytes, release: holdings.add(memory.hold(bytes)) });
    this.#slotOf.set(job, holdings.add(this.#slots.take()));
    this.#unstarted.add(job);
    this.#tellOfChange();
    return job;
  }

  /** BullMQ itself asks a Redis that answers with errors again at once, thousands of times a second. */
  protected override async moveToActive(...args: Parameters<Worker['moveToActive']>) {
    const leave = await this.#untilPlace();
    // Nothing is fetched now: BullMQ goes on with what it has fetched, and then asks again.
    if (leave === null) return undefined as unknown as Job;
    try {
      return await super.moveToActive(...args);
    } catch (error) {
      leave();
      await sleep(refusedRetryMs);
      throw error;
    } finally {
      leave();
    }
  }

  /**
   * BullMQ itself fails a job whose acknowledgement Redis refuses, as soon as Redis takes anything again. Its records are
   * stored, so it is repeated for as long as the lock holds, and then left to whoever finds it stalled.
   */
  protected override async handleCompleted(
    ...[result, job, token, mayFetch, span]: Parameters<Worker['handleCompleted']>
  ) {
    const until = performance.now() + (this.opts.lockDuration ?? 0);
    for (;;) {
      try {
        return await this.#fetchingNext(job, mayFetch, (fetches) =>
          super.handleCompleted(result, job, token, fetches, span),
        );
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.emit('error', toError(error));
        if (this.closing || performance.now() > until) return undefined as unknown as Job;
        await sleep(refusedRetryMs);
      }
    }
  }

  protected override async handleFailed(...[error, job, token, mayFetch, span]: Parameters<Worker['handleFailed']>) {
    // For a job that was delayed or requeued there is no acknowledgement; BullMQ fetches the next one by moveToActive.
    if (error instanceof DelayedError || error instanceof WaitingError) {
      this.#leaveSlot(job);
      return super.handleFailed(error, job, token, mayFetch, span);
    }
    return this.#fetchingNext(job, mayFetch, (fetches) => super.handleFailed(error, job, token, fetches, span));
  }

  /** Whatever becomes of a job, its data is let go, also of one that BullMQ fails before it is worked on. */
  override async processJob(...args: Parameters<Worker['processJob']>) {
    const [job] = args;
    this.#unstarted.delete(job);
    try {
      return await super.processJob(...args);
    } finally {
      this.letGo(job);
      this.#leaveSlot(job);
    }
  }

  /** Lets another job have the slot of one that is done. */
  #leaveSlot(job: Job): void {
    this.#slotOf.get(job)?.();
    this.#slotOf.delete(job);
  }

  /**
   * Room and a slot for one job more. Null when the worker is to stop, or there is none and jobs were fetched that are not worked
   * on yet: BullMQ's loop begins with them only when nothing is fetched at the moment, and they may be what takes the room.
   */
  async #untilPlace(): Promise<Place | null> {
    let isWaiting = false;
    try {
      for (;;) {
        if (this.closing !== undefined || this.isPaused()) return null;
        const hasSlot = this.#slots.isFree();
        const place = hasSlot ? this.#reserve() : null;
        if (place !== null || this.#unstarted.size > 0) return place;
        if (!isWaiting) this.#slots.beginToWait();
        isWaiting = true;
        await Promise.race([...(hasSlot ? [this.#limits.memory.whenRoom()] : []), this.#change.promise]);
      }
    } finally {
      if (isWaiting) this.#slots.endWait();
    }
  }

  /**
   * What the next job takes in memory at most, as far as is known. By its size in Redis: compressed data stays compressed until
   * its turn, and turns are bounded by what it takes then.
   */
  get #expectedBytes(): number {
    const known = this.#next.largestBytes;
    // One character beyond ASCII may make each take two bytes.
    return known === null ? this.#maxJobBytes : 2 * known;
  }

  /** Room and a slot for one job more; null when there is no room. @param slot one that is held already */
  #reserve(slot?: Release): Place | null {
    const { memory, holdings } = this.#limits;
    const isKnown = this.#next.largestBytes !== null;
    const bytes = Math.min(this.#maxJobBytes, Math.max(this.#expectedBytes, memory.maxBytes / maxOnTheirWay));
    const room = memory.reserve(bytes);
    if (room !== null && isKnown) this.#next.countFetch();
    if (room === null && !isKnown) this.#next.look();
    if (room === null) return null;
    const leaveRoom = holdings.add(room);
    const leaveSlot = slot ?? holdings.add(this.#slots.take());
    return () => {
      leaveRoom();
      leaveSlot();
    };
  }

  #tellOfChange(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** With the answer to an acknowledgement comes the next job, in the slot of the last one, where there is room for it. */
  async #fetchingNext<T>(
    job: Job,
    mayFetch: (() => boolean) | undefined,
    acknowledge: (fetches: () => boolean) => Promise<T>,
  ): Promise<T> {
    const places: Place[] = [];
    const fetches = (): boolean => {
      const slot = this.#slotOf.get(job);
      const mayTake = slot === undefined ? this.#slots.isFree() : this.#slots.mayKeep();
      const place = mayTake && mayFetch?.() !== false ? this.#reserve(slot) : null;
      if (place === null) this.#leaveSlot(job);
      else places.push(place);
      // It goes with the place now.
      this.#slotOf.delete(job);
      return place !== null;
    };
    try {
      return await acknowledge(fetches);
    } finally {
      for (const leave of places) leave();
    }
  }
}

/**
 * What the plain text of compressed data takes in memory at most: nobody knows yet whether its characters take two bytes each.
 * 0 for what is not compressed, or declares more than is ever decompressed.
 */
function plainBytes(data: string): number {
  const { bytes } = readCompressedChunk(data) ?? { bytes: 0 };
  return bytes > mostCompressedBytes ? 0 : 2 * bytes;
}
