import { type BulkJobOptions, Job, Queue } from 'bullmq';
import { jobName, type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';
import { type MemoryWatch, refuseAboveShare, watchMemoryOf } from './memory-watch.ts';

/** Adds chunks to a queue. */
export interface Transport {
  /**
   * Adds all chunks, or throws. Adding a chunk again adds nothing, so after an error the same call is simply repeated.
   * Takes at most `sendTimeoutMs`, whatever the server does.
   */
  send(chunks: readonly { id: string; data: string }[]): Promise<void>;
  /** Resolves when it can send; until then the lack of an answer says nothing of the server. @default it can at once */
  loaded?: Promise<unknown>;
  close(): Promise<void>;
}

/** What a transport is made of. */
export interface TransportOptions {
  redis: Redis;
  queue: QueueName;
  namespace: string;
  /**
   * Above so much of the server's maxmemory nothing is added: the rest is for those who make room. 1: only the server's own
   * refusal counts. @default 1
   */
  memoryShare?: number;
}

/** A server that has not answered for so long is treated as gone: the connection is dropped and made anew. */
const sendTimeoutMs = 10_000;

/** BullMQ appends an event for each change of a job to a stream; nobody here reads it, so it is kept short. */
const maxEvents = 1_000;

/**
 * Adds chunks as BullMQ jobs, with the chunk's id as the job's id.
 *
 * BullMQ's Queue waits for ever for its first connection, and stays broken when that one fails half-way. So it is made
 * only on a connection that is ready, thrown away when it breaks, and every wait here has an end.
 */
export function createBullmqTransport(options: TransportOptions): Transport {
  const { redis, memoryShare = 1 } = options;
  let memory: MemoryWatch | null = null;
  let watched: MemoryWatch | null = null;
  let connecting: Promise<void> | null = null;
  let opening: Promise<ChunkQueue> | null = null;
  /** jobs whose adding has failed in the middle of BullMQ's script, which is not undone: over a key of another type, say */
  const halfAdded = new Set<string>();

  const open = async (): Promise<ChunkQueue> => {
    const queue = new ChunkQueue(options.queue, {
      connection: redis,
      prefix: queuePrefix(options.queue, options.namespace),
      streams: { events: { maxLen: maxEvents } },
    });
    queue.on('error', () => undefined);
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      opening = null;
      // Takes its listeners off the connection, which goes on.
      await queue.close().catch(() => undefined);
      throw error;
    }
  };

  const connect = async (): Promise<void> => {
    await redis.connect();
    memory = null;
  };

  /** What is known before the first send of a connection: the server may be full already. */
  const watchMemory = async (): Promise<void> => {
    if (memoryShare >= 1) return;
    watched = watchMemoryOf(redis, queuePrefix(options.queue, options.namespace), memoryShare);
    await watched.join(redis);
    memory = watched;
  };

  const attempt = async (chunks: readonly { id: string; data: string }[]): Promise<void> => {
    // Connecting for the first time, or again after an end: sends that come meanwhile wait for the same attempt.
    if (redis.status === 'wait' || redis.status === 'end') {
      connecting = connect().finally(() => {
        connecting = null;
      });
    }
    if (connecting !== null) await connecting;
    if (redis.status !== 'ready') throw new Error(`redis is not connected (${redis.status})`);
    if (memory === null) await watchMemory();
    if (memory !== null) refuseAboveShare(memory, memoryShare);
    opening ??= open();
    const queue = await opening;
    if (halfAdded.size > 0) await removeHalfAdded(queue, chunks);
    try {
      await queue.addBulk(
        chunks.map(({ id, data }) => ({ name: jobName, data, opts: { jobId: id } satisfies BulkJobOptions })),
      );
    } catch (error) {
      const { class: kind, code } = classifyRedisError(error);
      // Also while a slot of a cluster is moved: a script may find one key there, and another one gone.
      if (kind === 'unknown' || code === 'TRYAGAIN') {
        for (const { id } of chunks) halfAdded.add(id);
        // At once, where that is possible: the next send may be of halves, which have ids of their own.
        await removeHalfAdded(queue, chunks).catch(() => undefined);
      }
      throw error;
    }
  };

  /**
   * Removes jobs that are in no list of the queue: adding them again would add nothing, and nobody would ever take them.
   *
   * @throws what Redis answers as long as it cannot be told
   */
  const removeHalfAdded = async (queue: ChunkQueue, chunks: readonly { id: string }[]): Promise<void> => {
    for (const { id } of chunks) {
      if (!halfAdded.has(id)) continue;
      if ((await queue.getJobState(id)) === 'unknown') await redis.del(queue.toKey(id));
      halfAdded.delete(id);
    }
  };

  return {
    async send(chunks) {
      const work = attempt(chunks);
      try {
        await within(work, sendTimeoutMs, 'redis did not answer in time');
      } catch (error) {
        if (error instanceof TimeoutError) redis.disconnect(true);
        throw error;
      }
    },
    async close() {
      // A connection that is just being made anew ends without a word.
      watched?.leave(redis);
      redis.disconnect();
    },
  };
}

/** Its jobs carry their data as finished JSON, so it is not parsed only to be written again. */
class ChunkQueue extends Queue<string> {
  protected override get Job(): typeof Job {
    return ChunkJob as unknown as typeof Job;
  }
}

class ChunkJob extends Job<string> {
  override asJSON() {
    const { data } = this;
    this.data = '';
    const json = super.asJSON();
    this.data = data;
    return { ...json, data };
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

async function within<T>(work: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(message)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
