import { Argument, type Command, InvalidArgumentError } from 'commander';
import { changeOffset, type HealthDeps, readOffset } from '../console/repository/health-offset.ts';
import { readHealthStatus } from '../console/repository/health-status.ts';
import { loadConfig } from '../shared/config.ts';
import { isStreamId } from '../shared/contracts/stream-id.ts';
import type { CommandContext } from './context.ts';
import { changeLines, offsetLines, statusLines } from './health-text.ts';
import { withDatabase, withRedis } from './servers.ts';

interface Flags {
  json?: boolean;
  force?: boolean;
}

export function addHealthCommand(program: Command, context: CommandContext): void {
  const command = program.command('health').description('the consumer of health events: how it is, and where it reads');
  command
    .command('status')
    .description('who reads, how far behind, and how the games are')
    .option('--json', 'print the result as JSON')
    .action((flags: Flags) =>
      withServers(context, async (deps) => context.output.print(await readHealthStatus(deps), flags, statusLines)),
    );

  const offset = command.command('offset').description('how far the stream of health events has been read');
  offset
    .command('show')
    .description('the saved offset, that of the original in Redis, and what is left to read')
    .option('--json', 'print the result as JSON')
    .action((flags: Flags) =>
      withServers(context, async (deps) => context.output.print(await readOffset(deps), flags, offsetLines)),
    );
  offset
    .command('set')
    .description('read on after another entry')
    .addArgument(
      new Argument(
        '<id>',
        'an entry id such as 1700000000000-0; earliest: all that is there; latest: only what comes',
      ).argParser(offsetArgument),
    )
    .option('--force', 'also an id after the last entry of the stream, and in mirror mode while a worker reads')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', setHelp)
    .action((id: string, flags: Flags) =>
      withServers(context, async (deps) =>
        context.output.print(await changeOffset(deps, id, { force: flags.force === true }), flags, changeLines),
      ),
    );
}

const setHelp = `
Hardened: whoever reads now loses its lease, and reading goes on after the new offset within seconds. What was taken in
before changes nothing when it is read again, as each game remembers its last entry: going back repeats what was not taken
in, and does not bring records back to what they were. What is skipped is never read. A consumer that finds itself after the
last entry takes the stream for a new one, and begins at its beginning.

Mirror: the offset is a key in Redis, which the worker reads only when it starts. Stop it, set the offset, start it.`;

function withServers(context: CommandContext, work: (deps: HealthDeps) => Promise<void>): Promise<void> {
  const { health } = loadConfig(context.environment, ['health']);
  return withRedis(context, 'health', (redis) =>
    withDatabase(context, 'health', (database) => work({ database, redis, config: health })),
  );
}

/** An entry id, or one of the words for both ends. */
export function offsetArgument(text: string): string {
  if (text === 'earliest' || text === 'latest') return text;
  if (!isStreamId(text))
    throw new InvalidArgumentError(
      'It must be the whole id of an entry, such as 1700000000000-0, or earliest or latest.',
    );
  return text.split('-').map(BigInt).join('-');
}
