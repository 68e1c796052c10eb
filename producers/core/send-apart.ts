import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import { classifyRedisError, type RedisErrorClass } from '../../shared/platform/redis/redis-errors.ts';
import { type ChunkParts, type SendableChunk, takeApart } from './chunk-parts.ts';
import { isPlain, isSuspect, RecordRefusedError } from './refusal.ts';
import type { Transport } from './transport.ts';

/** A record that was refused for good, by its place in its chunk. */
export interface RefusedRecord {
  index: number;
  error: RecordRefusedError;
}

/** One that came from the disk. */
export interface RefusedOnDisk extends RefusedRecord {
  chunkId: string;
}

/** What sending apart works with. */
export interface SendApartOptions {
  transport: Transport;
  retryBackoff: Backoff;
  random: () => number;
  /** ends it */
  signal: AbortSignal;
  /** sends that Redis has acknowledged so far, of all of this producer */
  acknowledged(): number;
  onAcknowledged(): void;
  /** an attempt that failed */
  onFailure(error: Error): void;
}

/** Records of the chunk that are sent together, and how often one after the other that has failed in the same way. */
interface Piece {
  from: number;
  until: number;
  failedWith: RedisErrorClass | null;
  failures: number;
}

/**
 * Sends a chunk of which some records may be refused for good: all of it, then in halves, down to the single record that is
 * at fault. Waits while Redis is away, as every send does. Where the answer does not say that the record is at fault, others
 * must have got through since: a server that refuses everything says nothing of a record. For k bad records of n it takes at
 * most 2·k·log2(n) + 1 sends, each as often as it takes to be sure.
 */
export function createSendApart(options: SendApartOptions) {
  const { transport, signal } = options;

  const trySend = async (chunk: SendableChunk): Promise<Error | null> => {
    try {
      await transport.send([chunk]);
      options.onAcknowledged();
      return null;
    } catch (thrown) {
      const error = toError(thrown);
      options.onFailure(error);
      return error;
    }
  };

  /**
   * @param records how many there are in the chunk
   * @param acknowledgedBefore what had been acknowledged when the chunk failed for the first time
   * @returns when each record is acknowledged or refused, those that are refused; null when the signal aborted before
   */
  return async (
    chunk: SendableChunk,
    records: number,
    acknowledgedBefore: number = options.acknowledged(),
  ): Promise<RefusedRecord[] | null> => {
    const refused: RefusedRecord[] = [];
    const open = [aPiece(0, records)];
    let parts: ChunkParts | null | undefined;
    let waits = 0;
    while (!signal.aborted) {
      const piece = open.shift();
      if (piece === undefined) return refused;
      const isWhole = piece.until - piece.from === records;
      const error = await trySend(isWhole ? chunk : (parts?.part(piece.from, piece.until) ?? chunk));
      if (error === null) {
        waits = 0;
        continue;
      }
      note(piece, error);
      const suspected = isSuspect(error, piece.failures);
      if (suspected) waits = 0;
      if (suspected && piece.until - piece.from > 1 && parts === undefined) parts = takeApart(chunk);
      if (suspected && piece.until - piece.from > 1 && parts) open.unshift(...halvesOf(piece));
      else if (suspected && (isPlain(error) || options.acknowledged() > acknowledgedBefore))
        refused.push(...refusalsOf(piece, new RecordRefusedError(error)));
      else {
        // What is suspected lets the others go first: when they get through, it is sure.
        if (suspected) open.push(piece);
        else open.unshift(piece);
        await sleep(backoffMs(options.retryBackoff, waits, options.random), undefined, { signal }).catch(
          () => undefined,
        );
        waits += 1;
      }
    }
    return null;
  };
}

export type SendApart = ReturnType<typeof createSendApart>;

/** The order in which to send chunks apart: when the small ones get through, a large one is surely refused for what it is. */
export function smallestFirst<C extends { data: string }>(chunks: readonly C[]): C[] {
  return chunks.toSorted((a, b) => a.data.length - b.data.length);
}

function aPiece(from: number, until: number): Piece {
  return { from, until, failedWith: null, failures: 0 };
}

function note(piece: Piece, error: Error): void {
  const { class: errorClass } = classifyRedisError(error);
  piece.failures = piece.failedWith === errorClass ? piece.failures + 1 : 1;
  piece.failedWith = errorClass;
}

/** One, unless the chunk cannot be taken apart. */
function refusalsOf({ from, until }: Piece, error: RecordRefusedError): RefusedRecord[] {
  return Array.from({ length: until - from }, (_, offset) => ({ index: from + offset, error }));
}

function halvesOf({ from, until }: Piece): [Piece, Piece] {
  const middle = from + Math.floor((until - from) / 2);
  return [aPiece(from, middle), aPiece(middle, until)];
}
