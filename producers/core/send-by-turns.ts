import { toError } from '../../shared/platform/errors.ts';
import type { SendableChunk } from './chunk-parts.ts';
import { settlesWithin } from './settles-within.ts';
import { placeOfFailure } from './shard-failure.ts';
import type { ShardTurns } from './shard-turns.ts';

export interface SendByTurnsOptions {
  /** the names of the shards, from the first one */
  shards: readonly string[];
  serverOf(index: number): string;
  turns: ShardTurns;
  /** Sends to one shard. Settles in `answerWithinMs`. */
  sendTo(index: number, chunks: readonly SendableChunk[]): Promise<void>;
  /** Another shard has the chunks. */
  abandon(index: number, chunks: readonly SendableChunk[]): void;
}

/**
 * A server that has not answered for so long may hang, and the next shard gets the chunks. An answer takes some ms, and of a
 * server that many producers fill to its limit some hundred. In so long, a producer of 10,000 records a second fills the buffer
 * of 10,000 that it has by default, were it not for its other sends.
 */
const patienceMs = 1_000;

/** After so many shards that fail for themselves, what is sent may be at fault. */
const shardsBeforeDoubt = 2;

/**
 * `attempt` sends to one shard. `send` sends to the shard whose turn it is. If its server does not take the chunks or is
 * silent, the shard of another server gets them; the answer that is still to come only tells how the server is. Records that
 * are in two shards then are stored once.
 *
 * `onMovedOn` is told of each failure after which another shard is tried. Both throw; `send` the error of the last shard that
 * was tried, and at once one that is about what was sent.
 */
export function createSendByTurns({ shards, serverOf, turns, sendTo, abandon }: SendByTurnsOptions) {
  /** Sends to one shard, and tells the turns how that ended, also if nobody waits for it any more. */
  const attempt = async (
    index: number,
    chunks: readonly SendableChunk[],
    server: string = serverOf(index),
  ): Promise<void> => {
    try {
      await sendTo(index, chunks);
      turns.onTaken(server, shards[index] as string);
    } catch (thrown) {
      const place = placeOfFailure(thrown);
      if (place === 'content') turns.onTaken(server);
      else turns.onFailed(place === 'server' ? server : (shards[index] as string));
      throw thrown;
    }
  };

  const send = async (chunks: readonly SendableChunk[], onMovedOn: (error: Error) => void): Promise<void> => {
    const tried = new Set<string>();
    const failed: number[] = [];
    let ofShards = 0;
    for (let index = turns.next(tried) ?? 0; ; ) {
      const server = serverOf(index);
      const answer = attempt(index, chunks, server);
      let failure: Error | null = null;
      if (await settlesWithin(answer, patienceMs)) {
        failure = await answer.then(
          () => null,
          (thrown: unknown) => toError(thrown),
        );
        if (failure === null) {
          for (const other of failed) abandon(other, chunks);
          return;
        }
        const place = placeOfFailure(failure);
        if (place === 'shard') ofShards += 1;
        if (place === 'content' || ofShards === shardsBeforeDoubt) throw failure;
        tried.add(place === 'server' ? server : (shards[index] as string));
      } else {
        turns.onSilent(server);
        tried.add(server);
      }
      const next = turns.next(tried);
      if (next === null) return answer;
      answer.catch(() => undefined);
      onMovedOn(failure ?? new Error('redis did not answer in time'));
      failed.push(index);
      index = next;
    }
  };

  return { attempt, send };
}
