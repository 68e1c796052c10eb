import { Argument, type Command, InvalidArgumentError } from 'commander';
import { changeOffset, type HealthDeps, readOffset } from '../../queries/health/health-offset.ts';
import { readHealthStatus } from '../../queries/health/health-status.ts';
import { isStreamId } from '../../shared/contracts/stream-id.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import type { CommandContext } from '../context.ts';
import { changeLines, offsetLines, statusLines } from '../output/health-lines.ts';
import { withDatabase, withRedis } from '../servers.ts';

interface Flags {
  json?: boolean;
  force?: boolean;
}

export function addHealthCommand(program: Command, context: CommandContext): void {
  const command = program.command('health').description('inspect the health-event consumer, and change where it reads');
  command
    .command('status')
    .description('show who reads, how far behind they are, and the state of the games')
    .option('--json', 'print the result as JSON')
    .action((flags: Flags) =>
      withServers(context, async (deps) => context.output.print(await readHealthStatus(deps), flags, statusLines)),
    );

  const offset = command.command('offset').description('show or set the read offset of the health-event stream');
  offset
    .command('show')
    .description('show the saved offset, the offset of the original in Redis, and the number of unread entries')
    .option('--json', 'print the result as JSON')
    .action((flags: Flags) =>
      withServers(context, async (deps) => context.output.print(await readOffset(deps), flags, offsetLines)),
    );
  offset
    .command('set')
    .description('continue reading after another entry')
    .addArgument(
      new Argument(
        '<id>',
        'an entry id such as 1700000000000-0, or earliest (all entries in the stream), or latest (only new entries)',
      ).argParser(offsetArgument),
    )
    .option(
      '--force',
      'allow an id past the last entry of the stream and, in mirror mode, a change while a worker reads',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', setHelp)
    .action((id: string, flags: Flags) =>
      withServers(context, async (deps) =>
        context.output.print(await changeOffset(deps, id, { force: flags.force === true }), flags, changeLines),
      ),
    );
}

const setHelp = `
Hardened mode: the current reader loses its lease, and reading continues after the new offset within seconds. Each game
remembers its last entry, so an entry that was already applied changes nothing when it is read again: going back applies only
entries that were missed, and does not restore records to an earlier state. Skipped entries are never read. A consumer whose
offset is past the last entry assumes that the stream is new and starts at its beginning.

Mirror mode: the offset is a key in Redis that the worker reads only at startup. Stop the worker, set the offset, start the worker.`;

function withServers(context: CommandContext, work: (deps: HealthDeps) => Promise<void>): Promise<void> {
  const { health } = loadConfig(context.environment, ['health']);
  return withRedis(context, 'health', (redis) =>
    withDatabase(context, 'health', (database) => work({ database, redis, config: health })),
  );
}

/** An entry id, or one of the words for the two ends. */
export function offsetArgument(text: string): string {
  if (text === 'earliest' || text === 'latest') return text;
  if (!isStreamId(text))
    throw new InvalidArgumentError('It must be a complete entry id such as 1700000000000-0, or earliest, or latest.');
  return text.split('-').map(BigInt).join('-');
}
