import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type Job, WaitingError, Worker, type WorkerOptions } from 'bullmq';
import { toError } from '../../shared/platform/errors.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import type { Release } from '../runtime/byte-semaphore.ts';
import { heldBytes, type MemoryBudget } from '../runtime/memory-budget.ts';
import { refusedRetryMs } from '../runtime/redis-retry.ts';
import { createNextJobs, type NextJobs } from './next-jobs.ts';

/** How a worker may fetch jobs. */
export interface FetchLimits {
  memory: MemoryBudget;
  /** that one job should take at most in memory; one that takes more is counted when it has come */
  maxJobBytes: number;
  redis: Redis;
}

/** Jobs on their way at once, at most, where they are small: what is known of their sizes may be out of date. */
const maxOnTheirWay = 32;

/** A job that was fetched. */
interface Fetched {
  text: string;
  bytes: number;
  release: Release;
}

/**
 * A BullMQ worker that leaves the data of its jobs as text, and fetches only jobs that there is room for. BullMQ parses a
 * job when it is fetched: data that is not JSON would throw there, again and again, and data that is too much for a worker
 * would kill it before anybody could count. It also fetches jobs by their number, whatever their size, several at once.
 */
export class RawJobWorker extends Worker {
  readonly #limits: FetchLimits;
  readonly #fetched = new Map<Job, Fetched>();
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
    this.#maxJobBytes = limits.maxJobBytes;
    const { redis } = limits;
    this.#next = createNextJobs({ redis, queueKey: this.toKey('').slice(0, -1), onKnown: () => this.#tellOfChange() });
    for (const event of ['closing', 'paused'] as const) this.on(event, () => this.#tellOfChange());
  }

  /** The data of a job as it was received: JSON, if its producer kept to the contract. Empty when it was let go. */
  rawDataOf(job: Job): string {
    return this.#fetched.get(job)?.text ?? '';
  }

  /** What a job's data takes in memory. */
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
    const bytes = heldBytes(json.data);
    this.#maxJobBytes = Math.max(this.#maxJobBytes, bytes);
    if (bytes > this.#expectedBytes) this.#next.forget();
    this.#fetched.set(job, { text: json.data, bytes, release: this.#limits.memory.hold(bytes) });
    this.#unstarted.add(job);
    this.#tellOfChange();
    return job;
  }

  /** BullMQ itself asks a Redis that answers with errors again at once, thousands of times a second. */
  protected override async moveToActive(...args: Parameters<Worker['moveToActive']>) {
    const release = await this.#untilRoom();
    // Nothing is fetched now: BullMQ goes on with what it has fetched, and then asks again.
    if (release === null) return undefined as unknown as Job;
    try {
      return await super.moveToActive(...args);
    } catch (error) {
      await sleep(refusedRetryMs);
      throw error;
    } finally {
      release();
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
        return await this.#fetchingNext(mayFetch, (fetches) =>
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
    if (error instanceof DelayedError || error instanceof WaitingError)
      return super.handleFailed(error, job, token, mayFetch, span);
    return this.#fetchingNext(mayFetch, (fetches) => super.handleFailed(error, job, token, fetches, span));
  }

  /** Whatever becomes of a job, its data is let go, also of one that BullMQ fails before it is worked on. */
  override async processJob(...args: Parameters<Worker['processJob']>) {
    const [job] = args;
    this.#unstarted.delete(job);
    try {
      return await super.processJob(...args);
    } finally {
      this.letGo(job);
    }
  }

  /**
   * Room for one job more. Null when the worker is to stop, or there is none and jobs were fetched that are not worked on
   * yet: BullMQ's loop begins with them only when nothing is fetched at the moment, and they may be what takes the room.
   */
  async #untilRoom(): Promise<Release | null> {
    const { memory } = this.#limits;
    for (;;) {
      if (this.closing !== undefined || this.isPaused()) return null;
      const release = this.#reserve();
      if (release !== null || this.#unstarted.size > 0) return release;
      await Promise.race([memory.whenRoom(), this.#change.promise]);
    }
  }

  /** What the next job takes in memory at most, as far as is known. */
  get #expectedBytes(): number {
    const known = this.#next.largestBytes;
    // One character beyond ASCII may make each take two bytes.
    return known === null ? this.#maxJobBytes : 2 * known;
  }

  /** Room for one job more; null when there is none. */
  #reserve(): Release | null {
    const { memory } = this.#limits;
    const isKnown = this.#next.largestBytes !== null;
    const bytes = Math.min(this.#maxJobBytes, Math.max(this.#expectedBytes, memory.maxBytes / maxOnTheirWay));
    const release = memory.reserve(bytes);
    if (release !== null && isKnown) this.#next.countFetch();
    if (release === null && !isKnown) this.#next.look();
    return release;
  }

  #tellOfChange(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** With the answer to an acknowledgement comes the next job, where there is room for it. */
  async #fetchingNext<T>(
    mayFetch: (() => boolean) | undefined,
    acknowledge: (fetches: () => boolean) => Promise<T>,
  ): Promise<T> {
    const rooms: Release[] = [];
    const fetches = (): boolean => {
      const room = mayFetch?.() === false ? null : this.#reserve();
      if (room !== null) rooms.push(room);
      return room !== null;
    };
    try {
      return await acknowledge(fetches);
    } finally {
      for (const release of rooms) release();
    }
  }
}
