import { pause } from '../../shared/platform/deadline.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import type { PurgeRule } from './row-retention.ts';

/** Rows of one statement: a few milliseconds of work, and locks on as many rows. */
const batchRows = 1_000;

/** At least so long a pause follows a statement, and at least as long as it took: others get half of the time. */
const minPauseMs = 20;

/** What one statement deleted. */
export interface DeletedRows {
  rows: number;
  /** of these, rows that were stored less than `keepDays` ago: there is something wrong with the rule, or with a clock */
  early: number;
}

/**
 * Deletes what a rule names, batch by batch, each in a transaction of its own. Rows that somebody else holds are left for
 * the next time, so any number of processes may purge at once.
 *
 * @returns whether it came to the end before `signal` told it to stop
 */
export async function purgeRows(
  database: Database,
  rule: PurgeRule,
  options: { signal: AbortSignal; onBatch: (deleted: DeletedRows) => void },
): Promise<boolean> {
  const [table, key] = [Prisma.raw(`sluice."${rule.table}"`), Prisma.raw(`"${rule.key}"`)];
  for (;;) {
    if (options.signal.aborted) return false;
    const startedAt = performance.now();
    // Materialized: as a mere subquery it may be run once per row, and then has more than its limit.
    const [deleted] = await database.$queryRaw<DeletedRows[]>(Prisma.sql`
      with doomed as materialized (
        select ${key} as key from ${table} where ${isDue(rule)} limit ${batchRows} for update skip locked),
      deleted as (
        delete from ${table} as old using doomed where old.${key} = doomed.key and ${isDue(rule)} returning old.*)
      ${deletedParts(rule)}
      select count(*)::int as rows,
        (count(*) filter (where ${Prisma.raw(rule.storedAt)} >= ${keptFrom(rule)}))::int as early
      from deleted`);
    const { rows, early } = deleted ?? { rows: 0, early: 0 };
    if (rows > 0) options.onBatch({ rows, early });
    if (rows < batchRows) return true;
    const pauseMs = Math.max(minPauseMs, performance.now() - startedAt);
    await pause(pauseMs, options.signal);
  }
}

function deletedParts({ part }: PurgeRule): Prisma.Sql {
  if (part === undefined) return Prisma.empty;
  const [table, idIn] = [Prisma.raw(`sluice."${part.table}"`), Prisma.raw(`"${part.idIn}"`)];
  return Prisma.sql`, parts as (delete from ${table} as part using deleted where part.id = deleted.${idIn})`;
}

/** How many rows a rule names now. */
export async function countRows(database: Database, rule: PurgeRule): Promise<number> {
  const [counted] = await database.$queryRaw<{ rows: number }[]>(
    Prisma.sql`select count(*)::float8 as rows from ${Prisma.raw(`sluice."${rule.table}"`)} where ${isDue(rule)}`,
  );
  return counted?.rows ?? 0;
}

/** By the database's clock. */
function isDue(rule: PurgeRule): Prisma.Sql {
  const isPast = rule.since.map((time) => Prisma.sql`${Prisma.raw(time)} < ${keptFrom(rule)}`);
  return Prisma.join([Prisma.raw(rule.condition), ...isPast], ' and ');
}

function keptFrom({ keepDays }: PurgeRule): Prisma.Sql {
  return Prisma.sql`now() - make_interval(days => ${keepDays}::int)`;
}
