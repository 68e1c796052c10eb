import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../../shared/platform/deadline.ts';
import { type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import { holdTable } from '../../../shared/platform/postgres/held-table.ts';
import { setLockLimits } from '../../../shared/platform/postgres/lock-limits.ts';
import {
  type Partition,
  quoteTable,
  transactionLimits,
} from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import type { DayPartition } from '../../../shared/platform/postgres/partitions/partition-spans.ts';
import { quoteIdentifier, quoteLiteral } from '../../../shared/platform/postgres/schema.ts';
import { catchUp, type Move } from './catch-up.ts';
import { checkFile, raw, staging } from './staging.ts';

/** Why the tables could not be exchanged now. The rows are where they were. */
export class SwapPostponed extends Error {}

/** The lock that making a partition takes, see attach-partition.ts: both change what the table consists of. */
const advisoryLock = 7_270_412;

/** Inserts wait from the request of the first lock on until the end: for the sum of both at most. */
const firstLockMs = 200;
const heldMs = 1_300;
/** Of that, what is kept for the exchange itself. */
const exchangeMs = 500;
const catchUpMs = 500;
const snapshotsMs = 300;
/** Between two statements, in which the last changes are copied; and from the exchange to its commit. */
const maxIdleMs = 600;
const commitMs = 300;

/**
 * Puts the copies in the place of the DEFAULT partition, in one transaction that changes no row. Every reader sees each row once:
 *
 * 1. Writers are kept out, readers go on. The last changes are copied in a transaction of its own, and committed.
 * 2. Snapshots from before that, in which these would be missing, are waited for; who has begun to read holds a lock, so the
 *    rest is not begun before it has ended.
 * 3. Nobody else uses the table. The old DEFAULT partition is detached, the new ones are attached without a look at their rows.
 *
 * @throws SwapPostponed, TableMoved, or what the database said: of a lock, too
 */
export async function swapDefault(
  database: Database,
  move: Move,
  { table, partitions }: { table: string; partitions: readonly DayPartition[] },
): Promise<void> {
  const { catchAll, made } = move;
  const [real, old] = [raw(`sluice."${table}"`), quoteTable(catchAll)];
  await database.$transaction(async (transaction) => {
    await setLockLimits(transaction, { statementMs: heldMs });
    await transaction.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`;
    await setLimits(transaction, { lockMs: firstLockMs, leftMs: heldMs });
    await transaction.$executeRaw(Prisma.sql`lock table only ${real} in share row exclusive mode`);
    const untilMs = performance.now() + heldMs;
    await setLimits(transaction, { lockMs: firstLockMs, leftMs: timeLeft(untilMs) });
    await transaction.$executeRaw(Prisma.sql`lock table ${old} in share row exclusive mode`);
    await checkFile(transaction, catchAll, made);
    const mark = await within(catchUp(database, move, { statementMs: catchUpMs }), catchUpMs, tooManyChanges);
    await outlast(transaction, { table, mark });
    for (const place of [Prisma.sql`only ${real}`, old]) {
      await setLimits(transaction, { lockMs: timeLeft(untilMs - exchangeMs), leftMs: timeLeft(untilMs) });
      await transaction.$executeRaw(Prisma.sql`lock table ${place} in access exclusive mode`);
    }
    await holdTable(transaction, made.all, 'access exclusive mode');
    await setLimits(transaction, { lockMs: timeLeft(untilMs), leftMs: timeLeft(untilMs), idleMs: commitMs });
    await transaction.$executeRaw(exchange({ table, catchAll, partitions }));
    if (performance.now() > untilMs) throw new SwapPostponed('it took too long');
  }, transactionLimits);
}

/** @throws SwapPostponed when there is none: a limit of 0 would be none at all */
function timeLeft(untilMs: number): number {
  const leftMs = Math.ceil(untilMs - performance.now());
  if (leftMs <= 0) throw new SwapPostponed('it took too long');
  return leftMs;
}

/** What goes on beyond its time changes nothing that is seen: its tables are held against the next try until it ends. */
function tooManyChanges(): never {
  throw new SwapPostponed('there were too many changes');
}

/**
 * The server itself ends what is not done in time, also when this process has no turn for a while and asks nothing: then the
 * locks are gone with the connection.
 */
async function setLimits(
  transaction: Pick<Database, '$executeRaw'>,
  { lockMs, leftMs, idleMs = maxIdleMs }: { lockMs: number; leftMs: number; idleMs?: number },
): Promise<void> {
  await transaction.$executeRaw`select set_config('lock_timeout', ${`${lockMs}ms`}, true),
    set_config('statement_timeout', ${`${leftMs}ms`}, true),
    set_config('idle_in_transaction_session_timeout', ${`${Math.min(idleMs, leftMs)}ms`}, true)`;
}

/**
 * Waits until nobody who may yet begin to read has a snapshot that does not see what was committed at the mark. Who reads
 * already has a lock, which is waited for afterwards. Writers that wait get a new snapshot.
 */
async function outlast(
  transaction: Pick<Database, '$queryRaw'>,
  { table, mark }: { table: string; mark: { xid: string; at: Date } },
): Promise<void> {
  for (const untilMs = performance.now() + snapshotsMs; ; await sleep(10)) {
    const [old] = await transaction.$queryRaw<{ any: boolean }[]>`
      select count(*) > 0 as any from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        and backend_xmin is not null and age(backend_xmin) >= age(${mark.xid}::xid) and xact_start <= ${mark.at}
        and pid not in (select pid from pg_locks where (granted or mode = 'RowExclusiveLock')
          and relation = (select oid from pg_class where relname = ${table} and relnamespace = to_regnamespace('sluice')))`;
    if (old?.any === false) return;
    if (performance.now() > untilMs) throw new SwapPostponed('another transaction has been reading for longer');
  }
}

/** One statement: each round trip would be time that others wait. */
function exchange(options: { table: string; catchAll: Partition; partitions: readonly DayPartition[] }): Prisma.Sql {
  const { catchAll, partitions } = options;
  const table = `sluice."${options.table}"`;
  const [all, rest, changes] = [`sluice.${staging.all}`, `sluice.${staging.rest}`, `sluice.${staging.changes}`];
  const old = `${quoteIdentifier(catchAll.schema)}.${quoteIdentifier(catchAll.name)}`;
  const statements = [
    `alter table ${table} detach partition ${old}`,
    ...partitions.flatMap(({ name, from, until }) => [
      `alter table ${all} detach partition sluice."${name}"`,
      `alter table ${table} attach partition sluice."${name}" for values from ('${from}') to ('${until}')`,
      `alter table sluice."${name}" drop constraint ${staging.span}, reset (autovacuum_enabled)`,
    ]),
    `alter table ${all} detach partition ${rest}`,
    `alter table ${table} attach partition ${rest} default`,
    `alter table ${rest} reset (autovacuum_enabled)`,
    `drop function sluice.${staging.note}() cascade`,
    `drop table ${old}, ${all}, ${changes}`,
    // Its indexes, too: the next move makes some of these names.
    `for name in select relname from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = '${rest}'::regclass
      loop execute format('alter index %I.%I rename to %I', ${quoteLiteral(catchAll.schema)}, name, replace(name, '${staging.rest}', ${quoteLiteral(catchAll.name)}));
    end loop`,
    `alter table ${rest} rename to ${quoteIdentifier(catchAll.name)}`,
  ];
  return raw(`do $$ declare name text; begin ${statements.join('; ')}; end $$`);
}
