import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import { isCutOff, isDoubtful } from '../core/refusal.ts';
import { type RefusedOnDisk, type SendApart, smallestFirst } from '../core/send-apart.ts';
import type { Transport } from '../core/transport.ts';
import type { SpillBatch } from './batch-reader.ts';
import type { Spill } from './spill.ts';

/** What a replay works with. */
export interface ReplayOptions {
  spill: Spill;
  transport: Transport;
  /** for a batch of which something may be refused for good */
  sendApart: SendApart;
  retryBackoff: Backoff;
  random: () => number;
  /** sends that were acknowledged so far, of all of this producer */
  acknowledged(): number;
  /** a send that Redis has acknowledged */
  onAcknowledged(): void;
  onReplayed(batch: SpillBatch, refused: readonly RefusedOnDisk[]): void;
  onFailure(error: Error): void;
}

/**
 * Sends what is on disk, in order, one batch at a time, each repeated with backoff until it is in Redis. While Redis is
 * away, it is the one that finds out when it is back. Of a batch that is refused for what is in it, each chunk is sent apart.
 */
export function createReplay(options: ReplayOptions) {
  const { spill, transport } = options;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    let failures = 0;
    let unanswered = 0;
    while (!stopping.signal.aborted) {
      const batch = await spill.take();
      if (batch === null || stopping.signal.aborted) return;
      try {
        await transport.send(batch.chunks);
        options.onAcknowledged();
        if (stopping.signal.aborted) return;
        spill.acknowledge();
        options.onReplayed(batch, []);
        failures = 0;
        unanswered = 0;
      } catch (thrown) {
        const error = toError(thrown);
        options.onFailure(error);
        unanswered = isCutOff(error) ? unanswered + 1 : 0;
        if (isDoubtful(error, unanswered)) {
          const refused = await replayApart(batch);
          if (refused === null || stopping.signal.aborted) return;
          spill.acknowledge();
          options.onReplayed(batch, refused);
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
    const acknowledgedBefore = options.acknowledged();
    for (const chunk of smallestFirst(chunks)) {
      const records = await options.sendApart(chunk, chunk.records, acknowledgedBefore);
      if (records === null) return null;
      refused.push(...records.map((record) => ({ ...record, chunkId: chunk.id })));
    }
    return refused;
  };

  const wake = (): void => {
    if (running !== null || stopping.signal.aborted || !spill.hasMore) return;
    running = run().finally(() => {
      running = null;
      // Something may have come between its last look and its end.
      wake();
    });
  };

  return {
    /** Says that there may be something to replay. */
    wake,
    /** ends when nothing is left, or the replay is stopped; null while there is nothing to do */
    get running(): Promise<void> | null {
      return running;
    },
    /** Cuts the replay off. What Redis has not acknowledged stays on disk. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}
