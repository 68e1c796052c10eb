import { type Command, Option } from 'commander';
import { defaultMigrateTimeoutMs, migrate, migratorOf, readMigrationStatus } from '../../prisma/migrate.ts';
import { namesIn } from '../../prisma/migration-status.ts';
import { resolveMigration } from '../../prisma/resolve-migration.ts';
import { type Config, loadConfig } from '../../shared/platform/config/config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../../shared/platform/postgres/database-clock.ts';
import {
  ensurePartitions,
  ledgerChunkTable,
  type PartitionReport,
  planPartitions,
  executionLogTable as table,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';

interface MigrateFlags {
  /** seconds */
  timeout: number;
  json?: boolean;
}

interface ResolveFlags {
  applied?: string;
  rolledBack?: string;
}

export function addMigrateCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('migrate')
    .description('apply pending migrations and create the partitions of the coming days')
    .option(
      '--timeout <seconds>',
      'total time to wait for locks',
      wholeNumber({ min: 1, max: 86_400 }),
      defaultMigrateTimeoutMs / 1_000,
    )
    .option('--json', 'print the result as JSON')
    .action((flags: MigrateFlags) => migrateAndPartition(context, flags));
  command
    .command('status')
    .description('show which migrations are applied; changes nothing')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing pending, 1 a migration is pending or failed, 2 incorrect usage or configuration.',
    )
    // The parent's option receives it, wherever it is given.
    .action((_: unknown, status: Command) => tellStatus(context, status.optsWithGlobals()));
  command
    .command('resolve')
    .description('record the outcome of a migration that failed or was applied manually; runs no SQL of the migration')
    .addOption(new Option('--applied <name>', 'the whole migration is in the database').conflicts('rolledBack'))
    .option('--rolled-back <name>', 'nothing of the failed migration is in the database; the next migrate applies it')
    .action((flags: ResolveFlags) => resolve(context, flags));
}

async function migrateAndPartition(
  { environment, output, notes }: CommandContext,
  { timeout, json }: MigrateFlags,
): Promise<void> {
  const config = configOf(environment);
  const say = (line: string): void => notes.lines([`sluice: ${line}`]);
  const applied = await migrate(config, { timeoutMs: timeout * 1_000, say });
  const { created, blocked, postponed } = await makePartitions(config);
  const result = {
    applied,
    partitionsCreated: created,
    partitionsBlocked: blocked,
    partitionsPostponed: postponed.map(({ name }) => name),
  };
  output.print(result, { json }, () => {
    const lines = [
      applied.length === 0 ? 'migrations: nothing to do' : `migrations applied: ${applied.join(', ')}`,
      created.length === 0 ? 'partitions: nothing to do' : `partitions created: ${created.join(', ')}`,
    ];
    if (postponed.length > 0)
      lines.push(
        `partitions not created yet: ${postponed.map(({ name, why }) => `${name} (${why})`).join(', ')}; a worker creates them later`,
      );
    if (blocked.length > 0) lines.push(`partitions blocked by rows in the DEFAULT partition: ${blocked.join(', ')}`);
    return lines;
  });
}

async function makePartitions(config: Config['database']): Promise<PartitionReport> {
  const database = createDatabase(config, 'sluice migrate');
  try {
    const nowMs = await readDatabaseClock(database);
    await ensurePartitions(
      database,
      ledgerChunkTable,
      planPartitions(ledgerChunkTable, nowMs, config.partitionDaysAhead),
    );
    const plan = planPartitions(table, nowMs, config.partitionDaysAhead, config.partitionBy);
    return await ensurePartitions(database, table, plan);
  } finally {
    await database.$disconnect();
  }
}

async function tellStatus(
  { environment, output, exitWith }: CommandContext,
  { json }: { json?: boolean },
): Promise<void> {
  const status = await readMigrationStatus(configOf(environment));
  output.print(status, { json }, () => status.map(({ name, state }) => `${state.padEnd(8)} ${name}`));
  if (namesIn(status, 'pending', 'failed').length > 0) exitWith(1);
}

async function resolve({ environment, output }: CommandContext, { applied, rolledBack }: ResolveFlags): Promise<void> {
  const name = applied ?? rolledBack;
  if (name === undefined) throw new UsageError('no migration named: give --applied NAME or --rolled-back NAME');
  const resolution = applied === undefined ? 'rolled back' : 'applied';
  await resolveMigration(configOf(environment), name, resolution);
  output.lines([`${name}: recorded as ${resolution}`]);
}

const configOf = (environment: NodeJS.ProcessEnv) => migratorOf(loadConfig(environment, ['database', 'migrator']));
