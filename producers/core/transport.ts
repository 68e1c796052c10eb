import { type QueueName, queuePrefix, reportJobName, shardNames } from '../../shared/contracts/queues.ts';
import { within } from '../../shared/platform/deadline.ts';
import { serverOf, wayTo } from '../../shared/platform/redis/cluster-nodes.ts';
import { disconnect, type Redis } from '../../shared/platform/redis/redis.ts';
import type { SendableChunk } from './chunk-parts.ts';
import {
  isNearlyFull,
  type MemoryWatch,
  RedisNearlyFullError,
  refuseAboveShare,
  watchMemoryOf,
} from './memory-watch.ts';
import { createSendByTurns } from './send-by-turns.ts';
import { createShardQueue, type ShardQueue } from './shard-queue.ts';
import { createShardTurns } from './shard-turns.ts';

/** Adds chunks to a queue. */
export interface Transport {
  /**
   * Adds all chunks, or throws. Adding a chunk twice adds it once, so after an error the same call is repeated. Takes at most
   * `sendTimeoutMs`, and a second more for each server that is silent, whatever the servers do.
   *
   * @param onMovedOn told of each failure after which another shard is tried
   */
  send(chunks: readonly SendableChunk[], onMovedOn?: (error: Error) => void): Promise<void>;
  /** Resolves when it can send; until then, a missing answer says nothing about the server. @default it can at once */
  loaded?: Promise<unknown>;
  /** how many shards are left alone now: they or their server did not take what was sent last, or others have more room. @default 0 */
  readonly shardsLeftAlone?: number;
  /** Whether another shard may still take what is being sent: one that is not left alone. @default no */
  mayMoveOn?(): boolean;
  /**
   * Why successes have to wait now: every server that takes anything is nearly full by its last reading. Null: they may be
   * added. It can tell after `readMemory`, which rejects when that is not possible. @default null
   */
  whySuccessesWait?(): Error | null;
  readMemory?(): Promise<void>;
  /**
   * Adds one report to the ledger, to any shard, once: nothing is repeated. A connection that was opened for it alone is closed
   * again, so that a process that has sent no record is not kept alive. @default there is no ledger
   */
  report?(report: SendableChunk): Promise<void>;
  close(): Promise<void>;
}

/** The shard that a record has to go to, from 0, by its JSON or by that of a chunk, whose records are all of one shard. */
export type ShardOf = (json: string, shards: number) => number;

/** Over how many shards a queue is spread, and how. */
export interface Sharding {
  /** at least 1 */
  shards: number;
  /** null: any shard takes any record */
  shardOf: ShardOf | null;
}

/** What a transport is made of. */
export interface TransportOptions extends Partial<Sharding> {
  redis: Redis;
  queue: QueueName;
  namespace: string;
  /**
   * A share of the server's maxmemory, above which nothing is added: the rest is for workers, which make room. 1: only the
   * server's own refusal counts. @default 1
   */
  memoryShare?: number;
  /** whether successes have to wait before the share is reached. @default false */
  holdsSuccessesBack?: boolean;
  /** uniform in [0, 1). @default Math.random */
  random?: () => number;
}

/** If a server has not answered for so long, the connection to it is dropped and opened again. */
const sendTimeoutMs = 10_000;
/** A connection that was opened for a report alone is not kept for longer. */
const reportTimeoutMs = 5_000;

/**
 * Adds chunks as BullMQ jobs, through one connection: by turns to all shards or, where records belong together, each to its
 * own shard. Every wait here has a deadline.
 */
export function createBullmqTransport(options: TransportOptions): Transport {
  const { redis, queue, namespace, memoryShare = 1, shards = 1, shardOf = null, random = Math.random } = options;
  const holdsSuccessesBack = options.holdsSuccessesBack === true && memoryShare < 1;
  const names = shardNames(queue, shards);
  const prefixes = names.map((name) => queuePrefix(name, namespace));
  const queues: ShardQueue[] = [];
  /** the watch of each server that was sent to since the connection was opened, and all that were ever joined */
  const watches = new Map<string, MemoryWatch>();
  const joined = new Set<MemoryWatch>();
  let connecting: Promise<void> | null = null;
  /** a record was sent, or is about to be: the connection stays open */
  let isForRecords = false;
  let leaving: Promise<void> | null = null;
  let hasLeft = false;
  let isClosed = false;
  let reports = 0;
  let reportsUnderWay = 0;

  const queueOf = (index: number): ShardQueue => {
    queues[index] ??= createShardQueue({ redis, shard: names[index] as (typeof names)[number], namespace });
    return queues[index];
  };
  const serverOfShard = (index: number): string => serverOf(redis, prefixes[index] as string);

  const connect = async (): Promise<void> => {
    await redis.connect();
    watches.clear();
  };

  /** Until the next time that it is needed. */
  const leave = (): Promise<void> => {
    hasLeft = true;
    leaving ??= disconnect(redis).finally(() => {
      leaving = null;
    });
    return leaving;
  };

  const connected = async (): Promise<void> => {
    if (leaving !== null) await leaving;
    // Connect for the first time, or again after the connection has ended. Sends that come meanwhile wait for the same attempt.
    if (redis.status === 'wait' || redis.status === 'end' || hasLeft) {
      hasLeft = false;
      connecting = connect().finally(() => {
        connecting = null;
      });
    }
    if (connecting !== null) await connecting;
    if (redis.status !== 'ready') throw new Error(`redis is not connected (${redis.status})`);
  };

  /** Waits for a reading before the first send to a server on a connection: it may be full already. */
  const memoryOf = async (server: string, key: string): Promise<MemoryWatch> => {
    const known = watches.get(server);
    if (known !== undefined) return known;
    const watch = watchMemoryOf(redis, key, memoryShare);
    joined.add(watch);
    await watch.join(redis);
    watches.set(server, watch);
    return watch;
  };

  /** Waits for the connection, and for room. @param onWay told how to drop the connection to the server of the shard */
  const reach = async (index: number, onWay: (drop: () => void) => void = () => undefined): Promise<void> => {
    await connected();
    const way = wayTo(redis, prefixes[index] as string);
    onWay(way.drop);
    if (memoryShare < 1) refuseAboveShare(await memoryOf(way.server, prefixes[index] as string), memoryShare);
  };

  const sendTo = async (index: number, chunks: readonly SendableChunk[]): Promise<void> => {
    isForRecords = true;
    let drop = (): void => redis.disconnect(true);
    const attempt = async (): Promise<void> => {
      await reach(index, (theirs) => {
        drop = theirs;
      });
      await queueOf(index).add(chunks);
    };
    try {
      await within(attempt(), sendTimeoutMs, late);
    } catch (error) {
      if (error instanceof TimeoutError) drop();
      throw error;
    }
  };

  /** A server that says nothing is left alone until it does: its connection is for records, whose sends drop it. */
  const report = async (one: SendableChunk): Promise<void> => {
    if (isClosed) throw new Error('the connection is closed');
    reports += 1;
    reportsUnderWay += 1;
    const index = reports % shards;
    try {
      const added = reach(index).then(() => queueOf(index).add([one], reportJobName));
      await (isForRecords ? added : within(added, reportTimeoutMs, late));
    } catch (error) {
      queueOf(index).abandon([one]);
      throw error;
    } finally {
      reportsUnderWay -= 1;
      if (!isForRecords && reportsUnderWay === 0) await leave();
    }
  };

  /** Of all servers of the queue, so that none gets a success before its memory is known. */
  const readMemory = async (): Promise<void> => {
    isForRecords = true;
    await connected();
    const keys = new Map(prefixes.map((prefix, index) => [serverOfShard(index), prefix]));
    await Promise.all([...keys].map(([server, key]) => memoryOf(server, key)));
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    // A connection that is just reconnecting ends without an event.
    for (const watch of joined) watch.leave(redis);
    await disconnect(redis);
  };

  const turns = createShardTurns({
    shards: names,
    serverOf: serverOfShard,
    // Records that have a shard of their own go there all the same.
    isNearlyFull: (index) =>
      shardOf === null && isNearlyFull(watches.get(serverOfShard(index))?.reading ?? null, memoryShare),
    answerWithinMs: sendTimeoutMs,
    now: () => performance.now(),
    random,
  });
  const whySuccessesWait = (): Error | null => {
    // Then nothing is read any more, and a send has to connect again.
    if (redis.status === 'end') return null;
    const readings = [...watches.values()].map(({ reading }) => reading);
    const full = readings.find((reading) => isNearlyFull(reading, memoryShare));
    return full === undefined || turns.hasRoom ? null : new RedisNearlyFullError(full, memoryShare);
  };
  const admission = holdsSuccessesBack ? { whySuccessesWait, readMemory } : {};
  if (shards === 1) return { send: (chunks) => sendTo(0, chunks), ...admission, report, close };

  const sendByTurns = createSendByTurns({
    shards: names,
    serverOf: serverOfShard,
    turns,
    sendTo,
    abandon: (index, chunks) => queueOf(index).abandon(chunks),
  });
  return {
    send: (chunks, onMovedOn = () => undefined) =>
      shardOf === null
        ? sendByTurns.send(chunks, onMovedOn)
        : sendToTheirs({ shards, shardOf }, chunks, sendByTurns.attempt),
    get shardsLeftAlone() {
      return turns.leftAlone;
    },
    mayMoveOn: () => shardOf === null && turns.mayMoveOn,
    ...admission,
    report,
    close,
  };
}

/** Sends each chunk to its own shard. @throws the first error, once the outcome of all is known */
async function sendToTheirs(
  { shards, shardOf }: { shards: number; shardOf: ShardOf },
  chunks: readonly SendableChunk[],
  sendTo: (index: number, chunks: readonly SendableChunk[]) => Promise<void>,
): Promise<void> {
  // No Map.groupBy: services run on Node 20.
  const byShard = new Map<number, SendableChunk[]>();
  for (const chunk of chunks) {
    const shard = shardOf(chunk.data, shards);
    byShard.set(shard, [...(byShard.get(shard) ?? []), chunk]);
  }
  const outcomes = await Promise.allSettled([...byShard].map(([index, theirs]) => sendTo(index, theirs)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

function late(): never {
  throw new TimeoutError('redis did not answer in time');
}
