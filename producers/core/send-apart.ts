import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import { classifyRedisError, type RedisErrorClass } from '../../shared/platform/redis/redis-errors.ts';
import { type ChunkParts, type SendableChunk, takeApart } from './chunk-parts.ts';
import { isPlain, isSuspect, RecordRefusedError } from './refusal.ts';
import type { Transport } from './transport.ts';

/** A record that Redis permanently refuses, by its index in its chunk. */
export interface RefusedRecord {
  index: number;
  error: RecordRefusedError;
}

/** A refused record that came from disk. */
export interface RefusedOnDisk extends RefusedRecord {
  chunkId: string;
}

/** Settings of sending apart, and its callbacks. */
export interface SendApartOptions {
  transport: Transport;
  retryBackoff: Backoff;
  random: () => number;
  /** stops it */
  signal: AbortSignal;
  /** how many sends of this producer Redis has acknowledged so far */
  acknowledged(): number;
  onAcknowledged(): void;
  /** an attempt failed */
  onFailure(error: Error): void;
}

/** Records of the chunk that are sent together, with their consecutive failures of one class. */
interface Piece {
  from: number;
  until: number;
  failedWith: RedisErrorClass | null;
  failures: number;
}

/**
 * Sends a chunk of which Redis may permanently refuse some records: the whole chunk, then halves of it, down to each record at
 * fault. Waits while Redis is away, as every send does. If the error alone does not prove that the record is at fault, other
 * sends must have succeeded since: a server that refuses everything proves nothing about a record. For k bad records of n it
 * takes at most 2·k·log2(n) + 1 sends, each repeated until the outcome is certain.
 */
export function createSendApart(options: SendApartOptions) {
  const { transport, signal } = options;

  const trySend = async (chunk: SendableChunk): Promise<Error | null> => {
    try {
      await transport.send([chunk], options.onFailure);
      options.onAcknowledged();
      return null;
    } catch (thrown) {
      const error = toError(thrown);
      options.onFailure(error);
      return error;
    }
  };

  /**
   * @param records the number of records in the chunk
   * @param acknowledgedBefore `acknowledged()` when the chunk failed for the first time
   * @returns the refused records, once all others are acknowledged; null if the signal aborted before
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
        // A suspect lets the others go first: if they succeed, it is at fault.
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

/** Sorts chunks for sending apart: if the small ones succeed, a large one that fails is at fault. */
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

/** Returns one refusal, or several if the chunk cannot be split. */
function refusalsOf({ from, until }: Piece, error: RecordRefusedError): RefusedRecord[] {
  return Array.from({ length: until - from }, (_, offset) => ({ index: from + offset, error }));
}

function halvesOf({ from, until }: Piece): [Piece, Piece] {
  const middle = from + Math.floor((until - from) / 2);
  return [aPiece(from, middle), aPiece(middle, until)];
}
