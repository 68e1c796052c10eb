import type { Command } from 'commander';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { schemaOf } from '../../shared/platform/postgres/pool-settings.ts';
import { defaultSchema } from '../../shared/platform/postgres/schema.ts';
import type { CommandContext } from '../context.ts';
import { grantStatements, type Roles } from './grant-statements.ts';

export function addGrantsCommand(program: Command, { environment, output }: CommandContext): void {
  program
    .command('grants')
    .description('print the SQL, for psql, that creates three roles with the privileges they need; connects to nothing')
    .option(
      '--migrator <role>',
      'role that owns the tables, for `sluice migrate` and the maintenance worker',
      'sluice_migrator',
    )
    .option(
      '--worker <role>',
      'role that writes rows, for all other workers and a console with write access',
      'sluice_worker',
    )
    .option('--console <role>', 'role that only reads', 'sluice_console')
    .action((roles: Roles) => {
      const { database } = loadConfig(environment, ['database']);
      const schema = database.url === null ? defaultSchema : schemaOf(database);
      output.lines(grantStatements(schema, roles).split('\n'));
    });
}
