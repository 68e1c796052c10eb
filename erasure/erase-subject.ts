import { join } from 'node:path';
import { eraseDeadLetterPage } from '../dead-letters/erase.ts';
import { type EditedSpill, editSpill } from '../producers/spill/edit-spill.ts';
import { compressedSign } from '../shared/contracts/compressed-chunk.ts';
import type { ErasureSubject } from '../shared/contracts/erasure-subject.ts';
import { queueNames } from '../shared/contracts/queues.ts';
import { type ChunkAccount, placesOf } from '../shared/platform/ledger/chunk-account.ts';
import { erasedStatement, toAccountOf } from '../shared/platform/ledger/chunk-statement.ts';
import { type Database, executeWithJson, withJsonTransaction } from '../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../shared/platform/postgres/database-clock.ts';
import { findTable, type TableIdentity } from '../shared/platform/postgres/held-table.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import { deadLetterDisposition, isUnreadable } from './dead-letter-disposition.ts';
import { eraseFromChunk } from './erase-chunk.ts';
import { eraseExecutions, executionTables } from './erase-executions.ts';
import { eraseJobs } from './erase-jobs.ts';
import { renameInLedger } from './erase-ledger.ts';
import { eraseNames } from './erase-names.ts';
import { createScope, type ErasureScope } from './erase-record.ts';
import { blankRequests, eraseOwnRequests, requestTables } from './erase-requests.ts';
import { noteSubjectErasure } from './note-erasure.ts';
import type { RowCounts } from './rows.ts';

/** What was found in each place. */
export interface PlaceCounts {
  executions: number;
  requests: number;
  deadLetters: number;
  queuedRecords: number;
  spilledRecords: number;
}

/** What an erasure did, or would do. Contains no id. */
export interface SubjectErasure {
  subject: ErasureSubject['kind'];
  /** everything made until then is erased, by the database's clock */
  erasedBefore: Date;
  /** the subject's own */
  erased: PlaceCounts;
  /** other people's, which named the subject */
  blanked: PlaceCounts;
  /** what people call the subject, and names in which it is named: these went whole */
  names: number;
  /** what could not be reached: call it again once that has moved on, or can be read */
  left: {
    /** jobs that a worker is still processing */
    heldJobs: number;
    /** from a newer producer */
    unreadableJobs: number;
    unreadableSegments: number;
    unreadableChunks: number;
    unreadableDeadLetters: number;
    /** directories of running processes, which cannot send their contents */
    livingSpills: number;
    /** rows that take longer than a statement may, or that another transaction locks for as long */
    stuckRows: number;
  };
  /** false: something is left, or it was interrupted; it has to be called again */
  isDone: boolean;
}

/** The progress of an erasure: pages of tables, and the current place. */
export interface ErasureProgress {
  place: string;
  pages: number;
  totalPages: number;
}

export interface SubjectErasureDeps {
  database: Database;
  redis: Redis;
  namespace: string;
  /** of producers on this host */
  spillDirs: readonly string[];
}

export interface SubjectErasureOptions {
  /** everything is only counted */
  dryRun: boolean;
  /** see ErasureScope */
  ownOnly: boolean;
  /** how long to wait for workers and running producers that are processing something */
  waitMs: number;
  signal: AbortSignal;
  onProgress(progress: ErasureProgress): void;
}

/**
 * Erases a user or a realm. It first notes, as a hash of the id, that none of it may be stored any more. Then it goes through the
 * places in the order in which records pass them, so that what moves on meanwhile is found in the next one: producers' disks,
 * queues, dead letters, tables.
 *
 * It may be interrupted anywhere and called again: the note stays, and the rest is erased then. Records that were made after it
 * started are left alone.
 *
 * @throws a server's error; 55P03 if statements that store records were in progress at each try to note it: nothing was done
 */
export async function eraseSubject(
  deps: SubjectErasureDeps,
  subject: ErasureSubject,
  options: SubjectErasureOptions,
): Promise<SubjectErasure> {
  const { database } = deps;
  const { dryRun, ownOnly, signal } = options;
  const before = dryRun
    ? new Date(Math.ceil(await readDatabaseClock(database)))
    : await noteSubjectErasure(database, subject);
  const scope = createScope(subject, { before, ownOnly });
  const erased = noCounts();
  const blanked = noCounts();
  const count = (place: keyof PlaceCounts, found: RowCounts): void => {
    erased[place] += found.erased;
    blanked[place] += found.blanked;
  };
  const tables = { requests: await requestTables(database), executions: await executionTables(database) };
  const show = await createPages(database, [...tables.requests, ...tables.executions], options);

  const names = await eraseNames(database, scope, { dryRun });

  show('spill', 0);
  const gone: ChunkAccount[] = [];
  const spill = await eraseSpill(deps, scope, { ...options, gone });
  if (!dryRun) for (const account of gone) await noteErasedChunk(database, account);
  count('spilledRecords', spill);
  const jobs = await eraseJobs(deps, {
    ...{ scope, dryRun, signal },
    waitMs: options.waitMs,
    onChunkErased: (account) => noteErasedChunk(database, account),
    onProgress: () => show('queues', 0),
  });
  count('queuedRecords', { erased: jobs.erasedRecords, blanked: jobs.blankedRecords });
  const unreadableDeadLetters = await eraseDeadLetters(database, scope, {
    ...options,
    onPage: (found) => {
      count('deadLetters', found);
      show('dead letters', 0);
    },
  });
  let stuckRows = 0;
  const rows = (place: 'requests' | 'executions') => ({
    ...{ scope, dryRun, signal },
    onRange(found: RowCounts, pages: number) {
      count(place, found);
      show(place, pages);
    },
    onStuckRow() {
      stuckRows += 1;
    },
  });
  await eraseOwnRequests(database, rows('requests'));
  for (const table of tables.requests) await blankRequests(database, table, rows('requests'));
  await inEachPartition(database, signal, (table) => eraseExecutions(database, table, rows('executions')));
  if (!dryRun) await renameInLedger(database, { scope, signal, onStuckRow: () => (stuckRows += 1) });

  const left = {
    heldJobs: jobs.heldJobs,
    unreadableJobs: jobs.unreadableJobs,
    unreadableSegments: spill.newer,
    unreadableChunks: spill.newerChunks,
    unreadableDeadLetters,
    livingSpills: spill.liveSessions,
    stuckRows,
  };
  const isDone = !signal.aborted && Object.values(left).every((number) => number === 0);
  return { subject: subject.kind, erasedBefore: before, erased, blanked, names, left, isDone };
}

const lockTimeoutMs = 5_000;

/** So that nobody misses the chunk. */
async function noteErasedChunk(database: Database, account: ChunkAccount): Promise<void> {
  const json = toAccountOf({ account, places: placesOf(account) });
  await withJsonTransaction(database, { lockTimeoutMs, commits: true }, (transaction) =>
    executeWithJson(transaction, erasedStatement(account.queue), json),
  );
}

function noCounts(): PlaceCounts {
  return { executions: 0, requests: 0, deadLetters: 0, queuedRecords: 0, spilledRecords: 0 };
}

async function createPages(database: Database, tables: readonly TableIdentity[], options: SubjectErasureOptions) {
  let totalPages = 0;
  for (const table of tables) totalPages += (await findTable(database, table.oid))?.pages ?? 0;
  let done = 0;
  return (place: string, pages: number): void => {
    done += pages;
    // Tables grow meanwhile.
    options.onProgress({ place, pages: done, totalPages: Math.max(totalPages, done) });
  };
}

async function eraseSpill(
  { spillDirs, namespace }: SubjectErasureDeps,
  scope: ErasureScope,
  { dryRun, waitMs, signal, gone }: SubjectErasureOptions & { gone: ChunkAccount[] },
): Promise<EditedSpill> {
  const total: EditedSpill = {
    ...{ erased: 0, blanked: 0, damagedBytes: 0 },
    newer: 0,
    newerChunks: 0,
    liveSessions: 0,
  };
  const parents = spillDirs.flatMap((dir) =>
    queueNames.map((queue) => ({ queue, parent: join(dir, `${namespace}.${queue}`) })),
  );
  for (const { queue, parent } of parents) {
    const editor = {
      edit({ data }: { data: string }) {
        const disposition = eraseFromChunk(queue, data, scope);
        if (disposition.kind === 'erased' && disposition.account !== undefined) gone.push(disposition.account);
        if (disposition.kind === 'kept') return null;
        if (disposition.kind === 'newer') return disposition.kind;
        return {
          data: disposition.kind === 'changed' ? disposition.data : null,
          erased: disposition.erased,
          blanked: disposition.blanked,
        };
      },
      // What is damaged is never sent, and whom it names when it was compressed cannot be seen.
      concerns: (bytes: Buffer) => [...scope.naming.needles, compressedSign].some((sign) => bytes.includes(sign)),
    };
    const found = await editSpill(parent, editor, { dryRun, waitMs, signal });
    total.erased += found.erased;
    total.blanked += found.blanked;
    total.damagedBytes += found.damagedBytes;
    total.newer += found.newer;
    total.newerChunks += found.newerChunks;
    total.liveSessions += dryRun ? 0 : found.liveSessions;
  }
  return total;
}

/** @returns the number of dead letters with unreadable contents */
async function eraseDeadLetters(
  database: Database,
  scope: ErasureScope,
  {
    dryRun,
    signal,
    onPage,
  }: Pick<SubjectErasureOptions, 'dryRun' | 'signal'> & {
    onPage(found: RowCounts): void;
  },
): Promise<number> {
  let unreadable = 0;
  for (let after: string | null = null; !signal.aborted; ) {
    const page = await eraseDeadLetterPage(database, {
      ...{ queue: null, after, dryRun },
      decide(deadLetter) {
        const disposition = deadLetterDisposition(deadLetter, scope);
        if (disposition !== 'erased' && isUnreadable(deadLetter)) unreadable += 1;
        return disposition;
      },
    });
    onPage({ erased: page.erased, blanked: page.changed });
    if (page.last === null) return unreadable;
    after = page.last;
  }
  return unreadable;
}

/** Includes tables that are created meanwhile, or that replace one that was processed in part. */
async function inEachPartition(
  database: Database,
  signal: AbortSignal,
  work: (table: TableIdentity) => Promise<unknown>,
): Promise<void> {
  const seen = new Set<string>();
  for (;;) {
    const fresh = (await executionTables(database)).filter(({ oid }) => !seen.has(oid));
    const [next] = fresh;
    if (next === undefined || signal.aborted) return;
    seen.add(next.oid);
    await work(next);
  }
}
