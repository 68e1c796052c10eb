import { type ByteSemaphore, createByteSemaphore, type Release } from './byte-semaphore.ts';

const mib = 1_048_576;

/** Bytes of job data that a process may have in hand, where its memory allows. */
const mostBytes = 64 * mib;
const leastBytes = 8 * mib;
/** Of V8's heap: what a worker takes without a job, and what a large job takes while it is read and written. */
const heapForTheRest = 128 * mib;

/**
 * What a process may have of job data, by the heap that V8 may take: 64 MiB where the heap is large, 8 MiB at least. A
 * third, as a text is in memory up to three times: as it came, in its statement, and as a dead letter.
 */
export function jobBytesFor(heapLimitBytes: number): number {
  return Math.round(Math.min(mostBytes, Math.max(leastBytes, (heapLimitBytes - heapForTheRest) / 3)));
}

/** Bytes that a text takes in memory. One character beyond ASCII may make each take two. */
export function heldBytes(text: string, utf8Bytes = Buffer.byteLength(text)): number {
  return utf8Bytes === text.length ? text.length : 2 * text.length;
}

/** What a role may have of job data in memory. */
export interface MemoryBudget {
  readonly maxBytes: number;
  /**
   * Room for a job that is about to be fetched, whose size nobody knows yet.
   *
   * @param bytes the most that it should take
   * @returns null when there is no room: what is in hand, or may be on its way, takes all
   */
  reserve(bytes: number): Release | null;
  /** Counts a job that is in hand, whatever its size. */
  hold(bytes: number): Release;
  /** Resolves when there is room, or something was given back. */
  whenRoom(): Promise<void>;
  /** for the work on jobs: one that is larger than the budget is worked on alone */
  turns: ByteSemaphore;
  /** for statements, by the memory of their texts: of large ones, one at a time */
  statements: ByteSemaphore;
}

/**
 * @param options.maxBytes of jobs in hand. Overstepped by one job at most: what a job takes is known when it has come.
 * @param options.statementBytes of the texts of all statements under way
 */
export function createMemoryBudget({
  maxBytes,
  statementBytes,
}: {
  maxBytes: number;
  statementBytes: number;
}): MemoryBudget {
  let takenBytes = 0;
  let givenBack = Promise.withResolvers<void>();

  const take = (bytes: number): Release => {
    let isTaken = true;
    takenBytes += bytes;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      takenBytes -= bytes;
      givenBack.resolve();
      givenBack = Promise.withResolvers();
    };
  };

  return {
    maxBytes,
    reserve: (bytes) => (takenBytes < maxBytes ? take(bytes) : null),
    hold: take,
    whenRoom: () => (takenBytes < maxBytes ? Promise.resolve() : givenBack.promise),
    turns: createByteSemaphore(maxBytes),
    statements: createByteSemaphore(statementBytes),
  };
}
