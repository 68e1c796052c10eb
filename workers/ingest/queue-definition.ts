import type { KeyOf } from '../../dead-letters/store.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { Backoff } from '../../shared/platform/backoff.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { ChunkAccount } from '../../shared/platform/ledger/chunk-account.ts';
import type { AccountedRecords } from '../../shared/platform/ledger/chunk-statement.ts';
import type { Database, JsonTransaction } from '../../shared/platform/postgres/database.ts';
import type { CanonicalChunk } from './canonical-chunk.ts';

/** What becomes of a record that is not stored. */
export type Disposition =
  /** it can never be stored as it is */
  | 'deadLetter'
  /** it may come right by itself: it is tried again a few times before it is dead */
  | 'retryLimited'
  /** nothing is wrong with it: its job is delayed, for as long as it takes */
  | 'retryLater';

/** A record that could not be stored although the statement went through. */
export interface Unstored {
  /** of the record in the batch */
  index: number;
  /** names the cause, as a SQLSTATE would */
  code: string;
  /** one line */
  reason: string;
  disposition: Disposition;
}

/** What a statement did with its records: how many ended how, and those that did not end well, one by one. */
export interface StoreResult {
  outcomes: Readonly<Record<string, number>>;
  unstored: readonly Unstored[];
}

/** How long a record is tried again that may come right by itself. */
export interface RetryPolicy {
  /** times that its job is delayed */
  tries: number;
  /** how long each time */
  backoff: Backoff;
}

/** The records of one chunk, as COPY takes them. */
export interface CopyRows {
  records: number;
  /** in memory */
  bytes: number;
  /** what the ledger is to say of them, in the same transaction. @default nothing */
  account?: ChunkAccount;
}

/** How records in canonical form are stored by COPY, which costs PostgreSQL and the worker far less than a statement. */
export interface CopyDefinition {
  /**
   * Reads a chunk.
   *
   * @param latest see latestPlausible
   * @returns null when it is not in canonical form, or a record needs a closer look: then a parser reads it
   */
  read(chunk: Buffer, latest: string): { chunk: CanonicalChunk; rows: CopyRows } | null;
  /**
   * Stores the rows of chunks in one transaction.
   *
   * @returns null when only the statement may store them; then none is stored
   * @throws what the database says; then none is stored
   */
  store(database: Database, rows: readonly CopyRows[]): Promise<StoreResult | null>;
}

/** All that a worker has to know of one kind of record. */
export interface QueueDefinition {
  queue: QueueName;
  /** what a record's JSON has at most, by the settings of a producer */
  maxRecordBytes(config: Pick<Config, 'producer' | 'requests'>): number;
  /** what is wrong with a record by its contract, by field; null when nothing is */
  findProblem(record: unknown): string | null;
  /** what of the times of a record that keeps to its contract cannot be, for its notes; null when nothing. @param latest see latestPlausible */
  findOddity(record: unknown, latest: string): string | null;
  /** what names the dead letter of a record. @default its `id` */
  keyOf?: KeyOf;
  /** @default none: a record that is not stored is dead */
  retryPolicy?: RetryPolicy;
  copy: CopyDefinition;
  /**
   * Stores a JSON array of records in one transaction, with what the ledger is to say of them. Safe to repeat.
   *
   * @param accounted those of them that have an account. @default none
   * @throws what the database says; then none is stored
   */
  store(
    door: Database | JsonTransaction,
    json: string,
    records: number,
    accounted?: readonly AccountedRecords[],
  ): Promise<StoreResult>;
  /**
   * JSON arrays of records that are good, and that no producer sent: stored one after the other they try out all that `store`
   * does. They are never committed.
   */
  goodRecords(nowMs: number): readonly string[];
}
