import { type BulkJobOptions, Job, Queue } from 'bullmq';
import { jobName, queuePrefix, type reportJobName, type ShardName } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';
import type { SendableChunk } from './chunk-parts.ts';

/** BullMQ appends an event to a stream for each change of a job. Nobody here reads it, so it is kept short. */
const maxEvents = 1_000;

/**
 * Adds chunks to the BullMQ queue of one shard, with the chunk's id as the job's id.
 *
 * BullMQ's Queue waits forever for its first connection, and stays broken if that fails half-way. It is therefore created only
 * on a connection that is ready, and thrown away if it breaks.
 */
export function createShardQueue({ redis, shard, namespace }: { redis: Redis; shard: ShardName; namespace: string }) {
  let opening: Promise<ChunkQueue> | null = null;
  /** jobs that failed in the middle of BullMQ's script, which Redis does not roll back: a key may have another type, for example */
  const halfAdded = new Set<string>();
  /** those whose chunks are in another shard now */
  const abandoned = new Set<string>();

  const open = async (): Promise<ChunkQueue> => {
    const queue = new ChunkQueue(shard, {
      connection: redis,
      prefix: queuePrefix(shard, namespace),
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

  /**
   * Removes jobs that are in no list of the queue: adding them again would add nothing, and no worker would ever take them.
   *
   * @throws what Redis answers if their state is still unknown
   */
  const removeHalves = async (queue: ChunkQueue, ids: Iterable<string>, halves: Set<string>): Promise<void> => {
    for (const id of ids) {
      if (!halves.has(id)) continue;
      if ((await queue.getJobState(id)) === 'unknown') await redis.del(queue.toKey(id));
      halves.delete(id);
    }
  };

  return {
    /** Adds all chunks, or throws. The connection has to be ready. @param name of the jobs. @default that of chunks */
    async add(chunks: readonly SendableChunk[], name: typeof jobName | typeof reportJobName = jobName): Promise<void> {
      opening ??= open();
      const queue = await opening;
      const ids = chunks.map(({ id }) => id);
      if (halfAdded.size > 0) await removeHalves(queue, ids, halfAdded);
      try {
        await queue.addBulk(
          chunks.map(({ id, data }) => ({ name, data, opts: { jobId: id } satisfies BulkJobOptions })),
        );
      } catch (error) {
        const { class: kind, code } = classifyRedisError(error);
        // Also while a slot of a cluster is moved: a script may find one key there, and another one gone.
        if (kind === 'unknown' || code === 'TRYAGAIN') {
          for (const id of ids) halfAdded.add(id);
          // At once, if possible: the next send may be of halves, which have ids of their own.
          await removeHalves(queue, ids, halfAdded).catch(() => undefined);
        }
        throw error;
      }
      if (abandoned.size > 0) void removeHalves(queue, [...abandoned], abandoned).catch(() => undefined);
    },

    /** Another shard has the chunks. What is left of them here is removed once this shard takes something. */
    abandon(chunks: readonly SendableChunk[]): void {
      for (const { id } of chunks) if (halfAdded.delete(id)) abandoned.add(id);
    },
  };
}

export type ShardQueue = ReturnType<typeof createShardQueue>;

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
