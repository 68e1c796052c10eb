import type { Command } from 'commander';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { schemaOf } from '../../shared/platform/postgres/pool-settings.ts';
import { defaultSchema } from '../../shared/platform/postgres/schema.ts';
import { parseRedisSettings } from '../../shared/platform/redis/redis-target.ts';
import type { CommandContext } from '../context.ts';
import { grantRedisLines, type RedisUsers } from './grant-redis-lines.ts';
import { grantStatements, type Roles } from './grant-statements.ts';

export function addGrantsCommand(program: Command, { environment, output }: CommandContext): void {
  const grants = program
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
  grants
    .command('redis')
    .description('print the ACL lines, for redis-cli, of three users with the rights they need; connects to nothing')
    .option('--producer <user>', 'user that adds to the queues', 'sluice-producer')
    .option('--worker <user>', 'user of the workers', 'sluice-worker')
    .option('--console <user>', 'user of the console', 'sluice-console')
    .action((users: RedisUsers) => {
      const config = loadConfig(environment, ['redis', 'namespace', 'health']);
      const parsed = parseRedisSettings(config.redis);
      const topology = ('target' in parsed && parsed.target?.topology) || 'server';
      output.lines(grantRedisLines(config, topology, users));
    });
}
