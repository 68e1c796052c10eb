import type { DeadLetterGroup } from '../../dead-letters/read.ts';
import type { BookLine } from '../../prisma/migration-books.ts';
import { namesIn, toStatus } from '../../prisma/migration-status.ts';
import type { DayPartition, PartitionUnit } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import { executionLogTable, isDayOf } from '../../shared/platform/postgres/partitions/partitions.ts';
import type { Answer, Unanswered } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';
import {
  deadLetterCauses,
  type KnownMigration,
  type Locks,
  type LockTable,
  type Rights,
  strayRowsCounted,
  type TablesFacts,
} from './tables-facts.ts';

const on = findingsOn('postgres');
const onDeadLetters = findingsOn('dead letters');

const transactionWarnSeconds = 300;

/** What the tables are held against. */
export interface TablesContext {
  migrations: readonly KnownMigration[];
  /** the days, weeks or months that ought to have a partition, from yesterday's on */
  days: readonly DayPartition[];
  /** which of these. @default day */
  unit?: PartitionUnit;
  /** statements over all of time that one process runs at once: SLUICE_DATABASE_POOL_SIZE. @default 4 */
  poolSize?: number;
  nowMs: number;
}

/** All that was seen in the tables. What is not there because a migration is missing is told once, as that. */
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
    checkDeadLetters(facts.deadLetters),
  ].flat();
}

function checkAnswer<T>(check: string, answer: Answer<T | null>, judge: (value: T) => Finding): Finding[] {
  if (!answer.known) return [unanswered(on, check, answer)];
  return answer.value === null ? [] : [judge(answer.value)];
}

function unanswered(subject: typeof on, check: string, { why }: Unanswered): Finding {
  return subject.warning(
    check,
    `could not be looked at: ${why}`,
    'look at the rights of the user of DATABASE_URL, and at who locks the tables (pg_locks)',
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
      `begun and not finished: ${open.join(', ')}`,
      'if none is running now, look at what is there of it, and run sluice migrate resolve --applied NAME, or --rolled-back NAME',
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
      'run the build that made it, or a later one',
    );
  if (changed.length > 0)
    return on.warning(
      check,
      `changed since they were applied: ${changed.join(', ')}`,
      'put the released files back; what a change shall do belongs into a migration of its own',
    );
  return on.ok(check, `all ${known.length} applied`);
}

function checkRights({ mayWrite, mayPurge, mayPartition }: Rights): Finding {
  const check = 'rights';
  if (!mayWrite)
    return on.failure(
      check,
      'the user of DATABASE_URL may not write to the tables',
      'grant select, insert, update, delete on all tables in schema … to …; grant usage on all sequences in schema … to …',
    );
  const lacking = [
    ...(mayPartition
      ? []
      : [
          {
            right: 'make partitions',
            remedy: `run sluice migrate daily as the owner of ${executionLogTable}, or make this user its owner`,
          },
        ]),
    ...(mayPurge
      ? []
      : [
          {
            right: 'delete what is due to be purged',
            remedy: 'grant delete on all tables in schema … to …, or run sluice maintain daily as a user who may',
          },
        ]),
  ];
  if (lacking.length > 0)
    return on.warning(
      check,
      `the user of DATABASE_URL may write, but not ${lacking.map(({ right }) => right).join(', nor ')}`,
      lacking.map(({ remedy }) => remedy).join('; '),
    );
  return on.ok(check, 'may write, purge and make partitions');
}

function checkPartitions(
  missing: readonly DayPartition[],
  { days, unit, nowMs }: { days: readonly DayPartition[]; unit: PartitionUnit; nowMs: number },
): Finding {
  const check = 'partitions';
  const remedy =
    'run sluice maintain partitions, or start a worker; both also take rows of it out of the DEFAULT partition';
  const missingToday = missing.filter((day) => isDayOf(day, nowMs));
  if (missingToday.length > 0) return on.failure(check, `today's is missing: ${namesOf(missingToday)}`, remedy);
  // Yesterday's is for latecomers only, and not worth a word once it is gone.
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
    `${count} rows of days that had no partition: sent in later, from a producer with a wrong clock, or stored while nobody made partitions (maintenance does not run, or may not make them)`,
    `run sluice maintain partitions as the owner of the tables, which moves those within the retention; the others have a wrong time or are older: select recorded_at::date, count(*) from ${executionLogTable}_default group by 1`,
  );
}

function checkLocks({ waiting, oldestTransactionSeconds }: Locks): Finding {
  const remedy = 'see who: select pid, pg_blocking_pids(pid), state, query from pg_stat_activity';
  if (waiting > 0) return on.warning('locks', `${waiting} sessions wait for a lock on our tables`, remedy);
  if (oldestTransactionSeconds !== null && oldestTransactionSeconds > transactionWarnSeconds)
    return on.warning(
      'locks',
      `a transaction on our tables has been open for ${Math.round(oldestTransactionSeconds)} s`,
      remedy,
    );
  return on.ok('locks', 'nobody waits');
}

/** A read of all time locks each partition and each of its indexes. The server counts its room for all sessions together. */
function checkLockTable(
  { maxLocksPerTransaction, holders, partitions, relations }: LockTable,
  poolSize: number,
): Finding {
  const check = 'lock table';
  const [room, need] = [maxLocksPerTransaction * holders, relations * poolSize];
  const message = `${poolSize} reads of all ${partitions} partitions at once take ${need} locks, the server has room for ${room}`;
  if (need <= room) return on.ok(check, message);
  // In steps of the default.
  const enough = Math.ceil(need / holders / 64) * 64;
  return on.warning(
    check,
    `${message}: they fail with 53200`,
    `set max_locks_per_transaction = ${enough} and restart PostgreSQL, or make fewer partitions: SLUICE_PARTITION_BY=week or month`,
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

/** The first few; a list of a year's partitions is no line. */
function namesOf(partitions: readonly DayPartition[]): string {
  const shown = 3;
  const names = partitions.slice(0, shown).map(({ name }) => name);
  return partitions.length <= shown ? names.join(', ') : `${names.join(', ')} and ${partitions.length - shown} more`;
}
