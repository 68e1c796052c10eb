import { Argument, type Command, Option } from 'commander';
import {
  countDeadLetters,
  type DeadLetterFilter,
  deadLetterStates,
  discardDeadLetters,
  findDeadLetter,
  groupDeadLetters,
  listReplayableIds,
  type ReplayFilter,
  replayableStates,
} from '../../dead-letters/read.ts';
import { parseRepair, type Repair, repairSyntax } from '../../dead-letters/repairs.ts';
import { replayDeadLetters } from '../../dead-letters/replay.ts';
import { queueNames } from '../../shared/contracts/queues.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { CommandContext } from '../context.ts';
import { uuid, wholeNumber } from '../options/option-values.ts';
import { withDatabase, withRedis } from '../servers.ts';

interface Selection {
  id?: string[];
  signature?: string;
  queue?: string;
  all?: boolean;
  json?: boolean;
}

const atLeastOne = wholeNumber({ min: 1 });

export function addDeadLettersCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('dead-letters')
    .description('list, show, replay and discard records that could not be stored');
  const queue = () =>
    new Option('--queue <name>', `select dead letters of this queue (${queueNames.join(', ')}) or stream`);
  const select = (sub: Command): Command =>
    sub
      .option('--id <id...>', 'select dead letters by id', (text: string, ids: string[] = []) => [...ids, uuid(text)])
      .option('--signature <text>', 'select dead letters by cause, as printed by `list`')
      .addOption(queue())
      .option('--all', 'select every dead letter')
      .option('--json', 'print the result as JSON');

  command
    .command('list')
    .description('list causes, those with the most dead letters first')
    .addOption(queue())
    .addOption(new Option('--state <state>', 'filter by state').choices([...deadLetterStates, 'any']).default('open'))
    .option('--limit <n>', 'maximum number of causes', atLeastOne, 50)
    .option('--json', 'print the result as JSON')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => list(database, context, flags)));
  command
    .command('show')
    .description('show one dead letter with its payload')
    .addArgument(new Argument('<id>').argParser(uuid))
    .action((id: string) => withDatabase(context, 'dead-letters', (database) => show(database, context, id)));
  select(command.command('replay'))
    .description('put dead letters back into their queue; replaying again stores nothing twice')
    .addOption(
      new Option(
        '--state <state>',
        'replay open dead letters, or dead letters already replayed but not known to be stored',
      )
        .choices(replayableStates)
        .default('open'),
    )
    .option('--repair <name...>', `repair each record first: ${repairSyntax}`)
    .option('--limit <n>', 'maximum number of dead letters', atLeastOne, 10_000)
    .option('--rate <n>', 'maximum number of dead letters per second', atLeastOne)
    .option('--dry-run', 'only count the dead letters')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => replay(database, context, flags)));
  select(command.command('discard'))
    .description('discard open dead letters for good; they stay visible')
    .option('--dry-run', 'only count the dead letters')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => discard(database, context, flags)));
}

async function list(
  database: Database,
  { output }: CommandContext,
  flags: { queue?: string; state: string; limit: number; json?: boolean },
): Promise<void> {
  const state = deadLetterStates.find((known) => known === flags.state);
  const groups = await groupDeadLetters(database, omitUndefined({ queue: flags.queue, state }), flags.limit);
  if (flags.json) {
    output.json(groups);
    return;
  }
  if (groups.length === 0) output.lines(['no dead letters']);
  for (const {
    deadLetters: count,
    queue,
    state: found,
    signature,
    firstSeen,
    lastSeen,
    exampleId,
    exampleReason,
  } of groups) {
    output.lines([
      `${count} ${found}  ${queue}  ${firstSeen.toISOString()} to ${lastSeen.toISOString()}`,
      `  signature  ${signature}`,
      `  example    ${exampleId}: ${exampleReason}`,
    ]);
  }
}

async function show(database: Database, { output }: CommandContext, id: string): Promise<void> {
  const deadLetter = await findDeadLetter(database, id);
  if (deadLetter === null) throw new Error(`no dead letter has the id ${id}`);
  output.json(deadLetter, 2);
}

async function replay(
  database: Database,
  context: CommandContext,
  flags: Selection & {
    state: ReplayFilter['state'];
    repair?: string[];
    limit: number;
    rate?: number;
    dryRun?: boolean;
  },
): Promise<void> {
  const filter = { ...toFilter(flags), state: flags.state };
  const repairs: Repair[] = (flags.repair ?? []).map(parseRepair);
  if (flags.dryRun) {
    const found = await listReplayableIds(database, filter, flags.limit);
    const deadLetters = found.filter(({ holdsRecord }) => holdsRecord).length;
    context.output.print({ wouldReplay: deadLetters }, flags, () => [`${deadLetters} dead letters would be replayed`]);
    return;
  }
  await withRedis(context, 'replay', async (redis, { namespace, memoryShare, shards }) => {
    const { replayed, skipped } = await replayDeadLetters(
      { database, redis, namespace, memoryShare, shards },
      {
        filter,
        repairs,
        limit: flags.limit,
        perSecond: flags.rate ?? null,
        onProgress: (done) => context.notes.lines([`sluice: ${done} dead letters replayed`]),
      },
    );
    const note = skipped.length === 0 ? '' : `; ${skipped.length} skipped because they hold no record`;
    context.output.print({ replayed, skipped }, flags, () => [`${replayed} dead letters replayed${note}`]);
  });
}

async function discard(
  database: Database,
  context: CommandContext,
  flags: Selection & { dryRun?: boolean },
): Promise<void> {
  const filter = toFilter(flags);
  if (flags.dryRun) {
    const deadLetters = await countDeadLetters(database, { ...filter, state: 'open' });
    context.output.print({ wouldDiscard: deadLetters }, flags, () => [
      `${deadLetters} dead letters would be discarded`,
    ]);
    return;
  }
  const discarded = await discardDeadLetters(database, filter);
  context.output.print({ discarded }, flags, () => [`${discarded} dead letters discarded`]);
}

/** A mistyped option must not select every dead letter. */
function toFilter({ id, signature, queue, all }: Selection): DeadLetterFilter {
  if (!all && id === undefined && signature === undefined && queue === undefined) {
    throw new UsageError('no dead letters selected: give --id, --signature, --queue or --all');
  }
  return omitUndefined({ ids: id, signature, queue });
}
