import { toError } from '../../shared/platform/errors.ts';
import type { ChunkAccount } from '../../shared/platform/ledger/chunk-account.ts';

/** The records of one job, to be written with those of others. */
interface Entry {
  records: number;
}

/** The records of one job, ready for a statement. */
export interface BatchEntry extends Entry {
  /** a JSON array of the records */
  json: string;
  /** of the text in UTF-8, where it is known. @default counted */
  bytes?: number;
  /** where the ledger has each of the records, in their order. @default nowhere */
  ledger?: readonly (LedgerEntry | null)[];
}

/** A record's place in the ledger. */
export interface LedgerEntry {
  account: ChunkAccount;
  /** in the whole chunk */
  place: number;
}

export function bytesOfJson({ json, bytes }: BatchEntry): number {
  return bytes ?? Buffer.byteLength(json);
}

/** When a batch is closed, and how many are written at once. */
export interface BatchLimits {
  maxRecords: number;
  /** of text in UTF-8; a batch holds one entry at least */
  maxBytes: number;
  /** the longest that an entry waits for company, in ms, as long as one statement more may be in flight */
  maxWaitMs: number;
  maxInFlight: number;
}

/**
 * Writes a batch and says for each of its entries, in their order, how it ended: null when its records are committed,
 * else the error. A throw counts for all.
 */
export type WriteBatch<E extends Entry = BatchEntry> = (entries: readonly E[]) => Promise<(Error | null)[]>;

interface Waiting<E extends Entry> {
  entry: E;
  settle(error: Error | null): void;
}

/**
 * Merges the entries of many jobs into one statement. `add` settles when its own entry does, so a job is acknowledged
 * only after its records are committed.
 *
 * An open batch is closed when the next entry would make it too large. Beside that, nothing waits while the database is
 * idle: when no batch is in flight, it is closed at once; when another one may be in flight, as soon as its first entry has
 * waited long enough. When none may, it goes on growing. So batches are small and soon visible while there is little to do,
 * and grow with the time that statements take. Batches are written in order, a few at a time. What waits is bounded by
 * whoever adds: a worker adds no more entries than it has slots.
 */
export function createBatcher<E extends Entry>(options: {
  limits: BatchLimits;
  bytesOf(entry: E): number;
  write: WriteBatch<E>;
}) {
  const { limits, bytesOf, write } = options;
  let open: Waiting<E>[] = [];
  let openRecords = 0;
  let openBytes = 0;
  let timer: NodeJS.Timeout | null = null;
  let hasWaited = false;
  let draining = false;
  let inFlight = 0;
  let held = 0;
  const closed: Waiting<E>[][] = [];

  const closeOpen = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    hasWaited = false;
    if (open.length === 0) return;
    closed.push(open);
    open = [];
    openRecords = 0;
    openBytes = 0;
    pump();
  };

  const closeIfDue = (): void => {
    const isIdle = inFlight === 0;
    if (isIdle || (hasWaited && inFlight < limits.maxInFlight)) closeOpen();
  };

  const pump = (): void => {
    while (inFlight < limits.maxInFlight) {
      const batch = closed.shift();
      if (batch === undefined) return;
      inFlight += 1;
      void writeAndSettle(batch).finally(() => {
        inFlight -= 1;
        pump();
        closeIfDue();
      });
    }
  };

  const writeAndSettle = async (batch: readonly Waiting<E>[]): Promise<void> => {
    let errors: (Error | null)[];
    try {
      errors = await write(batch.map(({ entry }) => entry));
    } catch (thrown) {
      const error = toError(thrown);
      errors = batch.map(() => error);
    }
    for (const [index, { entry, settle }] of batch.entries()) {
      held -= entry.records;
      // An entry that the writer left out is failed, never assumed stored.
      const outcome = errors[index];
      settle(outcome === undefined ? new Error('the writer reported no outcome for this entry') : outcome);
    }
  };

  return {
    /** Resolves when the entry's records are committed, rejects with the reason when they cannot be. */
    add(entry: E): Promise<void> {
      return new Promise((resolve, reject) => {
        const { records } = entry;
        const bytes = bytesOf(entry);
        const overflows = openRecords + records > limits.maxRecords || openBytes + bytes > limits.maxBytes;
        if (overflows) closeOpen();
        open.push({ entry, settle: (error) => (error === null ? resolve() : reject(error)) });
        openRecords += records;
        openBytes += bytes;
        held += records;
        const isFull = openRecords >= limits.maxRecords || openBytes >= limits.maxBytes;
        if (isFull || draining) closeOpen();
        else if (open.length === 1) {
          timer = setTimeout(() => {
            hasWaited = true;
            closeIfDue();
          }, limits.maxWaitMs);
          // What comes in the same turn of the event loop is company without a wait.
          setImmediate(closeIfDue);
        }
      });
    },

    /** From now on nothing waits for company: for shutting down, when no more is coming. */
    drain(): void {
      draining = true;
      closeOpen();
    },

    /** Records that were added and are not settled yet. */
    get heldRecords(): number {
      return held;
    },
  };
}

export type Batcher<E extends Entry = BatchEntry> = ReturnType<typeof createBatcher<E>>;
