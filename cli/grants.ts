import type { Command } from 'commander';
import { loadConfig } from '../shared/config.ts';
import { schemaOf } from '../shared/database.ts';
import { defaultSchema } from '../shared/schema.ts';
import type { CommandContext } from './context.ts';
import { grantStatements, type Roles } from './grant-statements.ts';

export function addGrantsCommand(program: Command, { environment, output }: CommandContext): void {
  program
    .command('grants')
    .description(
      'print the SQL that makes three roles with the rights that they need, for psql; nothing is connected to',
    )
    .option('--migrator <role>', 'owns the tables: for migrate and the role maintenance', 'sluice_migrator')
    .option('--worker <role>', 'stores: for all other workers, and for a console that may write', 'sluice_worker')
    .option('--console <role>', 'only reads', 'sluice_console')
    .action((roles: Roles) => {
      const { database } = loadConfig(environment, ['database']);
      const schema = database.url === null ? defaultSchema : schemaOf(database);
      output.lines(grantStatements(schema, roles).split('\n'));
    });
}
