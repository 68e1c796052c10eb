import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Admission } from '../core/admission.ts';
import { isCutOff, isDoubtful } from '../core/refusal.ts';
import { type RefusedOnDisk, type SendApart, smallestFirst } from '../core/send-apart.ts';
import type { Transport } from '../core/transport.ts';
import type { SpillBatch } from './batch-reader.ts';
import type { SpilledChunk } from './frame.ts';
import type { Spill } from './spill.ts';

/** What a replay needs of the lane of a shard. */
export interface ReplayLane {
  /** for a chunk that contains something that Redis may permanently refuse */
  sendApart: SendApart;
  /** how many sends of the lane Redis has acknowledged so far */
  acknowledged(): number;
  /** a send that Redis has acknowledged */
  onAcknowledged(): void;
}

/** Settings of a replay, and its callbacks. */
export interface ReplayOptions {
  spill: Spill;
  transport: Transport;
  admission: Admission;
  /** the lane that sends the live chunks of the same shard */
  laneOf(chunk: SpilledChunk): ReplayLane;
  retryBackoff: Backoff;
  random: () => number;
  onReplayed(batch: SpillBatch, refused: readonly RefusedOnDisk[]): void;
  onFailure(error: Error): void;
}

/**
 * Sends what is on disk, in order, one batch at a time. Each batch is repeated with backoff until it is in Redis. While Redis
 * is away, the replay is what finds out that it is back. While successes are held back it pauses, since most chunks have some. If
 * a batch is refused because of its content, each of its chunks is sent apart.
 */
export function createReplay(options: ReplayOptions) {
  const { spill, transport, admission, laneOf } = options;
  const stopping = new AbortController();
  /** of the batch, by id */
  const delivered = new Set<string>();
  let running: Promise<void> | null = null;

  /** @throws the first error, once the outcome of all is known */
  const send = async (chunks: readonly SpilledChunk[]): Promise<void> => {
    const byLane = new Map<ReplayLane, SpilledChunk[]>();
    for (const chunk of chunks) {
      const lane = laneOf(chunk);
      if (!delivered.has(chunk.id)) byLane.set(lane, [...(byLane.get(lane) ?? []), chunk]);
    }
    const outcomes = await Promise.allSettled(
      [...byLane].map(async ([lane, theirs]) => {
        await transport.send(theirs, options.onFailure);
        lane.onAcknowledged();
        for (const { id } of theirs) delivered.add(id);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  };

  const done = (batch: SpillBatch, refused: readonly RefusedOnDisk[]): void => {
    delivered.clear();
    spill.acknowledge();
    options.onReplayed(batch, refused);
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    let unanswered = 0;
    while (!stopping.signal.aborted) {
      if (admission.look() !== 'all') {
        await admission.pause(stopping.signal);
        continue;
      }
      const batch = await spill.take();
      if (batch === null || stopping.signal.aborted) return;
      try {
        await send(batch.chunks);
        if (stopping.signal.aborted) return;
        done(batch, []);
        failures = 0;
        unanswered = 0;
      } catch (thrown) {
        const error = toError(thrown);
        options.onFailure(error);
        unanswered = isCutOff(error) ? unanswered + 1 : 0;
        if (isDoubtful(error, unanswered)) {
          const refused = await replayApart(batch);
          if (refused === null || stopping.signal.aborted) return;
          done(batch, refused);
          failures = 0;
          unanswered = 0;
          continue;
        }
        const waitMs = backoffMs(options.retryBackoff, failures, options.random);
        failures += 1;
        await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const replayApart = async ({ chunks }: SpillBatch): Promise<RefusedOnDisk[] | null> => {
    const refused: RefusedOnDisk[] = [];
    const acknowledgedBefore = new Map(chunks.map((chunk) => [laneOf(chunk), laneOf(chunk).acknowledged()]));
    for (const chunk of smallestFirst(chunks)) {
      if (delivered.has(chunk.id)) continue;
      const lane = laneOf(chunk);
      const records = await lane.sendApart(chunk, chunk.records, acknowledgedBefore.get(lane));
      if (records === null) return null;
      refused.push(...records.map((record) => ({ ...record, chunkId: chunk.id })));
    }
    return refused;
  };

  const wake = (): void => {
    if (running !== null || stopping.signal.aborted || !spill.hasMore) return;
    running = run().finally(() => {
      running = null;
      // Something may have arrived between its last look and its end.
      wake();
    });
  };

  return {
    /** Call this when there may be something to replay. */
    wake,
    /** settles when nothing is left or the replay is stopped; null if there is nothing to do */
    get running(): Promise<void> | null {
      return running;
    },
    /** Stops the replay. What Redis has not acknowledged stays on disk. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}
