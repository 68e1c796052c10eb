import type { DeadLetterGroup } from '../../dead-letters/read.ts';
import type { BookLine } from '../../prisma/migration-books.ts';
import { namesIn, toStatus } from '../../prisma/migration-status.ts';
import type { DayPartition, PartitionUnit } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import { executionLogTable, isDayOf } from '../../shared/platform/postgres/partitions/partitions.ts';
import type { Answer, Unanswered } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';
import {
  type Compression,
  deadLetterCauses,
  type KnownMigration,
  type Locks,
  type LockTable,
  type Rights,
  strayRowsCounted,
  type TablesFacts,
  unreadRequestsCounted,
} from './tables-facts.ts';

const on = findingsOn('postgres');
const onDeadLetters = findingsOn('dead letters');

const transactionWarnSeconds = 300;

/** What the tables are checked against. */
export interface TablesContext {
  migrations: readonly KnownMigration[];
  /** the days, weeks or months that should have a partition, starting with yesterday's */
  days: readonly DayPartition[];
  /** the unit of `days`. @default day */
  unit?: PartitionUnit;
  /** statements over all of time that one process runs at once: SLUICE_DATABASE_POOL_SIZE. @default 4 */
  poolSize?: number;
  nowMs: number;
}

/** Checks the tables. What is absent because of a missing migration is reported once, as that migration. */
export function checkTables(
  facts: TablesFacts,
  { migrations, days, unit = 'day', poolSize = 4, nowMs }: TablesContext,
): Finding[] {
  return [
    checkAnswer('migrations', facts.migrations, (applied) => checkMigrations(applied, migrations)),
    checkAnswer('rights', facts.rights, checkRights),
    checkAnswer('partitions', facts.missingDays, (missing) => checkPartitions(missing, { days, unit, nowMs })),
    checkAnswer('default partition', facts.strayRows, checkStrayRows),
    checkAnswer('locks', facts.locks, checkLocks),
    checkAnswer('lock table', facts.lockTable, (table) => checkLockTable(table, poolSize)),
    checkAnswer('compression', facts.compression, checkCompression),
    checkAnswer('facts of requests', facts.unreadRequests, checkUnreadRequests),
    checkDeadLetters(facts.deadLetters),
  ].flat();
}

function checkAnswer<T>(check: string, answer: Answer<T | null>, toFinding: (value: T) => Finding): Finding[] {
  if (!answer.known) return [unanswered(on, check, answer)];
  return answer.value === null ? [] : [toFinding(answer.value)];
}

function unanswered(subject: typeof on, check: string, { why }: Unanswered): Finding {
  return subject.warning(
    check,
    `could not be checked: ${why}`,
    'check the rights of the user in DATABASE_URL, and who locks the tables (pg_locks)',
  );
}

function checkMigrations(books: readonly BookLine[], known: readonly KnownMigration[]): Finding {
  const check = 'migrations';
  const status = toStatus(known, books);
  const open = namesIn(status, 'failed');
  const pending = namesIn(status, 'pending');
  const unknown = namesIn(status, 'unknown');
  const changed = namesIn(status, 'changed');
  if (open.length > 0)
    return on.failure(
      check,
      `started but not finished: ${open.join(', ')}`,
      'if no migration is running now, check how far it got, and run sluice migrate resolve --applied NAME, or --rolled-back NAME',
    );
  if (pending.length > 0)
    return on.failure(
      check,
      `${namesIn(status, 'applied', 'changed', 'unknown').length} applied, missing: ${pending.join(', ')}`,
      'run sluice migrate',
    );
  if (unknown.length > 0)
    return on.warning(
      check,
      `the database is newer than this build: ${unknown.join(', ')}`,
      'run the build that migrated it, or a later one',
    );
  if (changed.length > 0)
    return on.warning(
      check,
      `changed since they were applied: ${changed.join(', ')}`,
      'restore the released files; put the change into a new migration',
    );
  return on.ok(check, `all ${known.length} applied`);
}

function checkRights({ mayWrite, mayPurge, mayPartition }: Rights): Finding {
  const check = 'rights';
  if (!mayWrite)
    return on.failure(
      check,
      'the user in DATABASE_URL may not write to the tables',
      'grant select, insert, update, delete on all tables in schema … to …; grant usage on all sequences in schema … to …',
    );
  const lacking: { right: string; remedy: string }[] = [];
  if (!mayPartition)
    lacking.push({
      right: 'create partitions',
      remedy: `run sluice migrate daily as the owner of ${executionLogTable}, or make this user its owner`,
    });
  if (!mayPurge)
    lacking.push({
      right: 'delete rows that are due to be purged',
      remedy: 'grant delete on all tables in schema … to …, or run sluice maintain daily as a user with this right',
    });
  if (lacking.length > 0)
    return on.warning(
      check,
      `the user in DATABASE_URL may write, but not ${lacking.map(({ right }) => right).join(', nor ')}`,
      lacking.map(({ remedy }) => remedy).join('; '),
    );
  return on.ok(check, 'may write, purge and create partitions');
}

function checkPartitions(
  missing: readonly DayPartition[],
  { days, unit, nowMs }: { days: readonly DayPartition[]; unit: PartitionUnit; nowMs: number },
): Finding {
  const check = 'partitions';
  const remedy =
    'run sluice maintain partitions, or start a worker; both also move its rows out of the DEFAULT partition';
  const missingToday = missing.filter((day) => isDayOf(day, nowMs));
  if (missingToday.length > 0) return on.failure(check, `today's is missing: ${namesOf(missingToday)}`, remedy);
  // Yesterday's is only for late rows, and its absence is not worth reporting.
  const isComing = ({ from }: DayPartition): boolean => Date.parse(from) > nowMs;
  const comingDays = days.filter(isComing);
  const coming = comingDays.length;
  const missingAhead = missing.filter(isComing);
  if (missingAhead.length === 0) return on.ok(check, `today and ${coming} ${unit}s ahead`);
  const has = comingDays.filter((day) => !missingAhead.some(({ from, until }) => from < day.until && until > day.from));
  return on.warning(check, `${has.length} of ${coming} ${unit}s ahead; missing: ${namesOf(missingAhead)}`, remedy);
}

function checkStrayRows(rows: number): Finding {
  if (rows === 0) return on.ok('default partition', 'empty');
  const count = rows < strayRowsCounted ? `${rows}` : `${strayRowsCounted} or more`;
  return on.warning(
    'default partition',
    `${count} rows of days that had no partition: sent late, sent by a producer with a wrong clock, or stored while nobody created partitions (maintenance does not run, or may not create them)`,
    `run sluice maintain partitions as the owner of the tables, which moves the rows within the retention; the others have a wrong time or are older, see: select recorded_at::date, count(*) from ${executionLogTable}_default group by 1`,
  );
}

function checkLocks({ waiting, oldestTransactionSeconds }: Locks): Finding {
  const remedy = 'see who holds them: select pid, pg_blocking_pids(pid), state, query from pg_stat_activity';
  if (waiting > 0) return on.warning('locks', `${waiting} sessions are waiting for a lock on Sluice's tables`, remedy);
  if (oldestTransactionSeconds !== null && oldestTransactionSeconds > transactionWarnSeconds)
    return on.warning(
      'locks',
      `a transaction on Sluice's tables has been open for ${Math.round(oldestTransactionSeconds)} s`,
      remedy,
    );
  return on.ok('locks', 'nobody is waiting');
}

/** A read over all of time locks every partition and every index of it. The server has one lock table for all sessions. */
function checkLockTable(
  { maxLocksPerTransaction, holders, partitions, relations }: LockTable,
  poolSize: number,
): Finding {
  const check = 'lock table';
  const [room, need] = [maxLocksPerTransaction * holders, relations * poolSize];
  const message = `${poolSize} reads of all ${partitions} partitions at once take ${need} locks; the server has room for ${room}`;
  if (need <= room) return on.ok(check, message);
  // In multiples of the server's default.
  const enough = Math.ceil(need / holders / 64) * 64;
  return on.warning(
    check,
    `${message}: they would fail with 53200`,
    `set max_locks_per_transaction = ${enough} and restart PostgreSQL, or have fewer partitions: SLUICE_PARTITION_BY=week or month`,
  );
}

/** Where somebody has chosen a method, it is left alone. The migration that chooses lz4 may have run on a server without it. */
function checkCompression({ hasLz4, serverDefault, columns }: Compression): Finding {
  const check = 'compression';
  if (!hasLz4) return on.ok(check, `${serverDefault}; the server was built without lz4`);
  const unchosen = columns.filter(({ method }) => method === null && serverDefault !== 'lz4');
  if (unchosen.length === 0) {
    const methods = new Set(columns.map(({ method }) => method ?? serverDefault));
    return on.ok(check, [...methods].sort().join(', '));
  }
  const names = unchosen.map(({ table, column }) => `${table}.${column}`).join(', ');
  return on.warning(
    check,
    `the server has lz4, but ${serverDefault} compresses ${names}, which costs inserts more CPU: they were made on a server without lz4`,
    `as the owner of the tables: ${unchosen.map(({ table, column }) => `alter table ${table} alter ${column} set compression lz4`).join('; ')}`,
  );
}

/** They are filled in by maintenance, newest first; a few are those that workers of an older version have ended just now. */
function checkUnreadRequests(requests: number): Finding {
  const check = 'facts of requests';
  if (requests < unreadRequestsCounted)
    return on.ok(check, requests === 0 ? 'all bodies read' : `${requests} bodies not read yet`);
  return on.warning(
    check,
    `the bodies of ${requests} or more requests have not been read yet: figures leave their tokens and costs out`,
    'let the maintenance role go on, or run sluice maintain facts; it is done when this is gone',
  );
}

function checkDeadLetters(deadLetters: Answer<DeadLetterGroup[] | null>): Finding[] {
  if (!deadLetters.known) return [unanswered(onDeadLetters, 'open', deadLetters)];
  if (deadLetters.value === null) return [];
  if (deadLetters.value.length === 0) return [onDeadLetters.ok('open', 'none')];
  const more = deadLetters.value.length > deadLetterCauses ? '; and others' : '';
  const causes = deadLetters.value
    .slice(0, deadLetterCauses)
    .map(({ deadLetters: count, queue, signature }) => `${count} of ${queue}: ${signature}`);
  return [
    onDeadLetters.warning(
      'open',
      `${causes.join('; ')}${more}`,
      'run sluice dead-letters list, then replay or discard them',
    ),
  ];
}

/** The first few names: a year of partitions would not fit on a line. */
function namesOf(partitions: readonly DayPartition[]): string {
  const shown = 3;
  const names = partitions.slice(0, shown).map(({ name }) => name);
  return partitions.length <= shown ? names.join(', ') : `${names.join(', ')} and ${partitions.length - shown} more`;
}
