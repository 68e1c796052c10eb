import type { Database } from '../../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../../shared/platform/postgres/database-clock.ts';
import {
  classifyDatabaseError,
  insufficientPrivilege,
  undefinedTable,
} from '../../shared/platform/postgres/database-errors.ts';
import { ledgerChunkTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { isClockOff } from './clock.ts';
import { findDefault } from './past/find-past.ts';
import { countRows, purgeRows } from './purge-rows.ts';
import { type PurgeRule, purgeRules } from './row-retention.ts';
import type { Task, TaskDeps } from './task.ts';
import { tellEarly } from './tell-early.ts';

export interface PurgeReport {
  outcome: 'done' | 'refused' | 'interrupted';
  /** rows by table, where there were any */
  purged: Record<string, number>;
}

const progressEveryMs = 10_000;

/** What gave executions their column `stored_at`. Every row since then has it. */
const storedAtMigration = '20261127020000_stored_at';

/** Deletes rows that nobody needs any more, by the rules of row-retention.ts. */
export function createPurgeTask(deps: TaskDeps): Task<PurgeReport> {
  const { database, logger } = deps;
  const findRules = async (): Promise<PurgeRule[]> => {
    const found = await findDefault(database);
    const catchAll = found === null ? null : { name: found.name, storedAtSince: await readStoredAtSince(database) };
    const ofLedger = await findDefault(database, ledgerChunkTable);
    return purgeRules(deps.config, catchAll, ofLedger?.name ?? null).filter(({ keepDays }) => keepDays > 0);
  };

  return {
    async run(signal) {
      const purged: Record<string, number> = {};
      if (isClockOff(deps, await readDatabaseClock(database))) return { outcome: 'refused', purged };
      for (const rule of await findRules()) {
        const { table } = rule;
        const logProgress = createProgressLog(deps, rule);
        const isThrough = await purgeRows(database, rule, {
          signal,
          onBatch({ rows, early }) {
            purged[table] = (purged[table] ?? 0) + rows;
            deps.onPurged(table, rows);
            if (early > 0) tellEarly(deps, { table, rows: early, keepDays: rule.keepDays });
            logProgress(purged[table]);
          },
        });
        if (purged[table] !== undefined)
          logger.info({ table, rows: purged[table] }, isThrough ? 'rows purged' : 'purge stopped');
        if (!isThrough) return { outcome: 'interrupted', purged };
      }
      return { outcome: 'done', purged };
    },
    async preview() {
      const wouldPurge: Record<string, number> = {};
      for (const rule of await findRules()) {
        const rows = await countRows(database, rule);
        if (rows > 0) wouldPurge[rule.table] = (wouldPurge[rule.table] ?? 0) + rows;
      }
      return { wouldPurge, wouldRefuse: isClockOff(deps, await readDatabaseClock(database)) };
    },
  };
}

/** By the books of the migrations; null where they are not there, or may not be read. */
async function readStoredAtSince(database: Database): Promise<string | null> {
  try {
    const [line] = await database.$queryRaw<{ at: Date | null }[]>`
      select finished_at as at from sluice.sluice_migration where name = ${storedAtMigration} and rolled_back_at is null`;
    return line?.at?.toISOString() ?? null;
  } catch (error) {
    if ([undefinedTable, insufficientPrivilege].includes(classifyDatabaseError(error).code)) return null;
    throw error;
  }
}

/** Says every ten seconds how far it is. */
function createProgressLog({ now, logger }: TaskDeps, { table }: PurgeRule): (rows: number) => void {
  let toldAt = now();
  return (rows) => {
    if (now() - toldAt < progressEveryMs) return;
    toldAt = now();
    logger.info({ table, rows }, 'purging');
  };
}
