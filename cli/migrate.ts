import type { Command } from 'commander';
import { migrate } from '../prisma/migrate.ts';
import { loadConfig } from '../shared/config.ts';
import { createDatabase } from '../shared/database.ts';
import { readDatabaseClock } from '../shared/database-clock.ts';
import { ensurePartitions, planPartitions, executionLogTable as table } from '../shared/partitions.ts';
import type { CommandContext } from './context.ts';

export function addMigrateCommand(program: Command, { environment }: CommandContext): void {
  program
    .command('migrate')
    .description('apply the migrations that DATABASE_URL lacks, and make the partitions of the coming days')
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { database: config } = loadConfig(environment, ['database']);
      const applied = await migrate(config);
      const database = createDatabase(config, 'sluice migrate');
      const { created, blocked, postponed } = await ensurePartitions(
        database,
        table,
        planPartitions(table, await readDatabaseClock(database), config.partitionDaysAhead),
      );
      await database.$disconnect();
      if (json) {
        console.log(
          JSON.stringify({
            applied,
            partitionsCreated: created,
            partitionsBlocked: blocked,
            partitionsPostponed: postponed.map(({ name }) => name),
          }),
        );
        return;
      }
      console.log(applied.length === 0 ? 'migrations: nothing to do' : `migrations applied: ${applied.join(', ')}`);
      console.log(created.length === 0 ? 'partitions: nothing to do' : `partitions created: ${created.join(', ')}`);
      if (postponed.length > 0)
        console.log(
          `partitions that could not be made now: ${postponed.map(({ name, why }) => `${name} (${why})`).join(', ')}; a worker makes them later`,
        );
      if (blocked.length > 0) console.log(`partitions blocked by rows in the DEFAULT partition: ${blocked.join(', ')}`);
    });
}
