import type { Config } from '../../shared/platform/config/config.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { connectAlone, type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { setLockLimits } from '../../shared/platform/postgres/lock-limits.ts';
import { transactionLimits } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { schemaOf } from '../../shared/platform/postgres/pool-settings.ts';
import { inSchema, quoteIdentifier } from '../../shared/platform/postgres/schema.ts';

export interface IndexReport {
  /** partitions that have an index more */
  indexed: string[];
  /** why others lack one still; null when none does, or somebody else is at it */
  waiting: string | null;
}

/** An index of the table that one of its partitions lacks. */
interface LackingIndex {
  /** of the table */
  parent: string;
  partition: string;
  /** what it is called on the partition */
  name: string;
  /** its definition, from `USING` on */
  definition: string;
  /** whether there is one by its name: `broken` is what a build left that did not come to its end */
  state: 'none' | 'broken' | 'built';
}

/** What is not done by then is done in the next run: other tasks wait for this one. */
const buildMs = 1_800_000;
/** For the server's answer to being cancelled. */
const cancelMs = 60_000;
const attachMs = 2_000;

/**
 * Builds the indexes that a migration has made ON ONLY the table on the partitions that were there before, beside reads and
 * inserts, the newest first. It may break off anywhere: the next run goes on.
 */
export async function buildLackingIndexes(
  { config, database, logger }: { config: Pick<Config, 'database'>; database: Database; logger: Logger },
  table: string,
  signal: AbortSignal,
): Promise<IndexReport> {
  const report: IndexReport = { indexed: [], waiting: null };
  const lacking = await findLacking(database, table);
  if (lacking.length === 0) return report;
  logger.info({ indexes: lacking.length }, 'building indexes of partitions; reads and inserts continue');
  const late = new AbortController();
  const ended = AbortSignal.any([signal, late.signal]);
  const { client, close } = await connectAlone(config.database, 'sluice partitions', {
    queryTimeoutMs: buildMs + cancelMs,
  });
  const timer = setTimeout(() => late.abort(), buildMs);
  // It is built outside of a transaction, so no setting can be given to it.
  const run = (sql: string) => client.query(inSchema(sql, quoteIdentifier(schemaOf(config.database))));
  try {
    for (const index of lacking) {
      if (ended.aborted) throw ended.reason;
      await cancelledBy(ended, database, index.partition, () => build(run, index));
      await attach(database, index);
      report.indexed.push(index.partition);
    }
  } catch (error) {
    report.waiting = ended.aborted ? 'asked to stop, or out of time' : explainDatabaseError(error);
    logger.warn(
      { reason: report.waiting },
      'partitions lack an index until the next run; searches by it are slow there',
    );
  } finally {
    clearTimeout(timer);
    await close();
  }
  if (report.indexed.length > 0) logger.info({ partitions: report.indexed }, 'indexes of partitions built');
  return report;
}

/** Locks nothing. What is being built by somebody else is not lacking. */
function findLacking(database: Database, table: string): Promise<LackingIndex[]> {
  return database.$queryRaw`
    with lacking as (
      select parent.relname as parent, child.oid, child.relname as partition,
        left(child.relname, 63 - length(ending)) || ending as name,
        substring(pg_get_indexdef(parent.oid) from 'USING .*') as definition
      from pg_class as whole
      join pg_index as of_whole on of_whole.indrelid = whole.oid and not of_whole.indisvalid
      join pg_class as parent on parent.oid = of_whole.indexrelid and parent.relkind = 'I'
      cross join lateral (select replace(parent.relname, whole.relname, '') as ending) as suffix
      join pg_inherits on inhparent = whole.oid
      join pg_class as child on child.oid = inhrelid and child.relkind = 'r' and child.relnamespace = whole.relnamespace
      where whole.relname = ${table} and whole.relnamespace = to_regnamespace('sluice')
        and not exists (
          select from pg_index join pg_inherits as of_index on of_index.inhrelid = indexrelid
          where indrelid = child.oid and of_index.inhparent = parent.oid)
        and not exists (select from pg_stat_progress_create_index where relid = child.oid))
    select parent, partition, name, definition,
      case when indexrelid is null then 'none' when indisvalid then 'built' else 'broken' end as state
    from lacking
    left join (pg_index join pg_class as named on named.oid = indexrelid) on indrelid = lacking.oid and named.relname = name
    order by partition desc, parent`;
}

async function build(
  run: (sql: string) => Promise<unknown>,
  { partition, name, definition, state }: LackingIndex,
): Promise<void> {
  if (state === 'built') return;
  if (state === 'broken') await run(`drop index concurrently sluice.${quoteIdentifier(name)}`);
  await run(`create index concurrently ${quoteIdentifier(name)} on sluice.${quoteIdentifier(partition)} ${definition}`);
}

/** When the signal aborts, the server ends the build, and leaves an index that is not used. */
async function cancelledBy<T>(
  signal: AbortSignal,
  database: Database,
  partition: string,
  work: () => Promise<T>,
): Promise<T> {
  const cancel = (): void =>
    void database.$queryRaw`
      select pg_cancel_backend(pid) from pg_stat_progress_create_index join pg_class on pg_class.oid = relid
      where relname = ${partition} and relnamespace = to_regnamespace('sluice')`.catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** The index of the table is whole when the last partition has it. */
async function attach(database: Database, { parent, name }: LackingIndex): Promise<void> {
  await database.$transaction(async (transaction) => {
    await setLockLimits(transaction, { statementMs: attachMs });
    await transaction.$executeRaw(
      Prisma.raw(`alter index sluice.${quoteIdentifier(parent)} attach partition sluice.${quoteIdentifier(name)}`),
    );
  }, transactionLimits);
}
