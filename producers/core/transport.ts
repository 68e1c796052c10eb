import { type BulkJobOptions, Job, Queue } from 'bullmq';
import { jobName, type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import { within } from '../../shared/platform/deadline.ts';
import { disconnect, type Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';
import { type MemoryWatch, refuseAboveShare, watchMemoryOf } from './memory-watch.ts';

/** Adds chunks to a queue. */
export interface Transport {
  /**
   * Adds all chunks, or throws. Adding a chunk twice adds it once, so after an error the same call is repeated. Takes at most
   * `sendTimeoutMs`, whatever the server does.
   */
  send(chunks: readonly { id: string; data: string }[]): Promise<void>;
  /** Resolves when it can send; until then, a missing answer says nothing about the server. @default it can at once */
  loaded?: Promise<unknown>;
  close(): Promise<void>;
}

/** What a transport is made of. */
export interface TransportOptions {
  redis: Redis;
  queue: QueueName;
  namespace: string;
  /**
   * A share of the server's maxmemory, above which nothing is added: the rest is for workers, which make room. 1: only the
   * server's own refusal counts. @default 1
   */
  memoryShare?: number;
}

/** If a server has not answered for so long, the connection is dropped and opened again. */
const sendTimeoutMs = 10_000;

/** BullMQ appends an event to a stream for each change of a job. Nobody here reads it, so it is kept short. */
const maxEvents = 1_000;

/**
 * Adds chunks as BullMQ jobs, with the chunk's id as the job's id.
 *
 * BullMQ's Queue waits forever for its first connection, and stays broken if that fails half-way. It is therefore created only
 * on a connection that is ready, and thrown away if it breaks. Every wait here has a deadline.
 */
export function createBullmqTransport(options: TransportOptions): Transport {
  const { redis, memoryShare = 1 } = options;
  let memory: MemoryWatch | null = null;
  let watched: MemoryWatch | null = null;
  let connecting: Promise<void> | null = null;
  let opening: Promise<ChunkQueue> | null = null;
  /** jobs that failed in the middle of BullMQ's script, which Redis does not roll back: a key may have another type, for example */
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
      // Removes its listeners from the connection, which stays open.
      await queue.close().catch(() => undefined);
      throw error;
    }
  };

  const connect = async (): Promise<void> => {
    await redis.connect();
    memory = null;
  };

  /** Waits for a reading before the first send of a connection: the server may be full already. */
  const watchMemory = async (): Promise<void> => {
    if (memoryShare >= 1) return;
    watched = watchMemoryOf(redis, queuePrefix(options.queue, options.namespace), memoryShare);
    await watched.join(redis);
    memory = watched;
  };

  const attempt = async (chunks: readonly { id: string; data: string }[]): Promise<void> => {
    // Connect for the first time, or again after the connection has ended. Sends that come meanwhile wait for the same attempt.
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
        // At once, if possible: the next send may be of halves, which have ids of their own.
        await removeHalfAdded(queue, chunks).catch(() => undefined);
      }
      throw error;
    }
  };

  /**
   * Removes jobs that are in no list of the queue: adding them again would add nothing, and no worker would ever take them.
   *
   * @throws what Redis answers if their state is still unknown
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
        await within(work, sendTimeoutMs, () => {
          throw new TimeoutError('redis did not answer in time');
        });
      } catch (error) {
        if (error instanceof TimeoutError) redis.disconnect(true);
        throw error;
      }
    },
    async close() {
      // A connection that is just reconnecting ends without an event.
      watched?.leave(redis);
      await disconnect(redis);
    },
  };
}

/** Its jobs carry their data as finished JSON, so that it is not parsed and serialised again. */
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
