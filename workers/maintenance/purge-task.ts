import { readDatabaseClock } from '../../shared/database-clock.ts';
import { isClockOff } from './clock.ts';
import { countRows, purgeRows } from './purge-rows.ts';
import { type PurgeRule, purgeRules } from './purge-rules.ts';
import type { Task, TaskDeps } from './task.ts';

export interface PurgeReport {
  outcome: 'done' | 'refused' | 'interrupted';
  /** rows by table, where there were any */
  purged: Record<string, number>;
}

const progressEveryMs = 10_000;

/** Deletes rows that nobody needs any more, by the rules of purge-rules.ts. */
export function createPurgeTask(deps: TaskDeps): Task<PurgeReport> {
  const { database, logger } = deps;
  const rules = purgeRules(deps.config).filter(({ keepDays }) => keepDays > 0);

  return {
    async run(signal) {
      const purged: Record<string, number> = {};
      if (isClockOff(deps, await readDatabaseClock(database))) return { outcome: 'refused', purged };
      for (const rule of rules) {
        const { table } = rule;
        const told = createProgressLog(deps, rule);
        const isThrough = await purgeRows(database, rule, {
          signal,
          onBatch(rows) {
            purged[table] = (purged[table] ?? 0) + rows;
            deps.onPurged(table, rows);
            told(purged[table]);
          },
        });
        if (purged[table] !== undefined)
          logger.info({ table, rows: purged[table] }, isThrough ? 'rows purged' : 'purge stopped');
        if (!isThrough) return { outcome: 'interrupted', purged };
      }
      return { outcome: 'done', purged };
    },
    async preview() {
      const counts = await Promise.all(
        rules.map(async (rule) => [rule.table, await countRows(database, rule)] as const),
      );
      const due = counts.filter(([, rows]) => rows > 0);
      return { wouldPurge: Object.fromEntries(due), wouldRefuse: isClockOff(deps, await readDatabaseClock(database)) };
    },
  };
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
