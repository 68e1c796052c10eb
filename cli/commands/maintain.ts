import { Argument, type Command } from 'commander';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import type { CopyProgress } from '../../workers/maintenance/past/copy-rows.ts';
import { runTask } from '../../workers/maintenance/run-task.ts';
import { type TaskName, type TaskOutcome, taskNames } from '../../workers/maintenance/task.ts';
import { createTasks } from '../../workers/maintenance/tasks.ts';
import type { CommandContext } from '../context.ts';
import { describeTask } from '../output/maintain-lines.ts';

interface MaintainFlags {
  dryRun?: boolean;
  json?: boolean;
}

export function addMaintainCommand(program: Command, context: CommandContext): void {
  program
    .command('maintain')
    .description('run the tasks of the maintenance worker once, manually or from cron')
    .addArgument(new Argument('[task]', 'run only this task').choices(taskNames))
    .option('--dry-run', 'only report what would be created, dropped, purged and read')
    .option('--json', 'print the result as JSON')
    .action((task: TaskName | undefined, flags: MaintainFlags) =>
      maintain(context, task === undefined ? taskNames : [task], flags),
    );
}

async function maintain(
  { environment, output, exitWith }: CommandContext,
  names: readonly TaskName[],
  { dryRun, json }: MaintainFlags,
): Promise<void> {
  const config = loadConfig(environment, ['database', 'retention', 'retry']);
  const database = createDatabase(config.database, 'sluice maintain');
  // The result says everything, in words or as JSON.
  const logger = createLogger({ level: 'silent', name: 'sluice-maintain' });
  const tasks = createTasks({ config, database, logger, now: Date.now, ...sayProgress });
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  const options = { retry: config.retry, logger, signal: stopping.signal, waitsForDatabase: false };
  const results: Record<string, object> = {};
  try {
    for (const name of names) {
      if (stopping.signal.aborted) break;
      let result: object;
      if (dryRun) {
        result = await tasks[name].preview();
      } else {
        const run = await runTask<{ outcome: TaskOutcome }>(name, tasks[name], options);
        if (run.outcome !== 'done' && run.outcome !== 'postponed') exitWith(1);
        result = 'report' in run ? run.report : run;
      }
      results[name] = result;
      if (!json) output.lines(describeTask(name, result));
    }
  } finally {
    await database.$disconnect();
  }
  if (json) output.json(results);
}

/** Often enough for a person, and not too often for a cron log. */
const sayEveryMs = 10_000;
let saidAt = 0;
let factsRead = 0;

const sayProgress = {
  onMoving({ rows, bytes, ofBytes }: CopyProgress): void {
    if (performance.now() - saidAt < sayEveryMs) return;
    saidAt = performance.now();
    const percent = Math.round((bytes / Math.max(ofBytes, 1)) * 100);
    process.stderr.write(`sluice: ${rows} rows of the DEFAULT partition copied, ${percent} %\n`);
  },
  onMoved: (rows: number) => process.stderr.write(`sluice: ${rows} rows moved out of the DEFAULT partition\n`),
  onDropped: (partition: string) => process.stderr.write(`sluice: ${partition} dropped\n`),
  onArchived: () => undefined,
  onEarly: (table: string, rows: number) =>
    process.stderr.write(
      `sluice: ${rows} rows of ${table} were deleted before their retention period had passed since they were stored\n`,
    ),
  onFactsRead(rows: number): void {
    factsRead += rows;
    if (performance.now() - saidAt < sayEveryMs) return;
    saidAt = performance.now();
    process.stderr.write(`sluice: bodies of ${factsRead} requests read\n`);
  },
  onPurged: (table: string, rows: number) => process.stderr.write(`sluice: ${rows} rows of ${table} purged\n`),
};
