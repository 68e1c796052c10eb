import { Argument, type Command, Option } from 'commander';
import { parseRepair, type Repair, repairSyntax } from '../console/repairs.ts';
import { replayDeadLetters } from '../console/replay.ts';
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
} from '../console/repository/dead-letters.ts';
import { queueNames } from '../shared/contracts/queues.ts';
import type { Database } from '../shared/database.ts';
import { UsageError } from '../shared/errors.ts';
import type { CommandContext } from './context.ts';
import { uuid, wholeNumber } from './option-values.ts';
import { withDatabase, withRedis } from './servers.ts';

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
    .description('records that could not be stored: look at them, put them back, put them aside');
  const queue = () => new Option('--queue <name>', `letters of this queue (${queueNames.join(', ')}) or stream`);
  const select = (sub: Command): Command =>
    sub
      .option('--id <id...>', 'these letters', (text: string, ids: string[] = []) => [...ids, uuid(text)])
      .option('--signature <text>', 'letters of this cause, as `list` prints it')
      .addOption(queue())
      .option('--all', 'every letter')
      .option('--json', 'print the result as JSON');

  command
    .command('list')
    .description('letters by cause, the most numerous first')
    .addOption(queue())
    .addOption(
      new Option('--state <state>', 'letters in this state').choices([...deadLetterStates, 'any']).default('open'),
    )
    .option('--limit <n>', 'causes to list', atLeastOne, 50)
    .option('--json', 'print the result as JSON')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => list(database, context, flags)));
  command
    .command('show')
    .description('one letter, with its payload')
    .addArgument(new Argument('<id>').argParser(uuid))
    .action((id: string) => withDatabase(context, 'dead-letters', (database) => show(database, context, id)));
  select(command.command('replay'))
    .description('put letters back into their queue; repeating it stores nothing twice')
    .addOption(
      new Option('--state <state>', 'open letters, or those put back before and not known to be stored')
        .choices(replayableStates)
        .default('open'),
    )
    .option('--repair <name...>', `change each record first: ${repairSyntax}`)
    .option('--limit <n>', 'letters at most', atLeastOne, 10_000)
    .option('--rate <n>', 'letters per second at most', atLeastOne)
    .option('--dry-run', 'only say how many there are')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => replay(database, context, flags)));
  select(command.command('discard'))
    .description('put open letters aside for good; they stay visible')
    .option('--dry-run', 'only say how many there are')
    .action((flags) => withDatabase(context, 'dead-letters', (database) => discard(database, context, flags)));
}

async function list(
  database: Database,
  { output }: CommandContext,
  flags: { queue?: string; state: string; limit: number; json?: boolean },
): Promise<void> {
  const state = deadLetterStates.find((known) => known === flags.state);
  const filter = {
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(state === undefined ? {} : { state }),
  };
  const groups = await groupDeadLetters(database, filter, flags.limit);
  // Signatures and reasons quote what producers have sent.
  if (flags.json) {
    output.json(groups);
    return;
  }
  if (groups.length === 0) output.lines(['no dead letters']);
  for (const { letters, queue, state: found, signature, firstSeen, lastSeen, exampleId, exampleReason } of groups) {
    output.lines([
      `${letters} ${found}  ${queue}  ${firstSeen.toISOString()} to ${lastSeen.toISOString()}`,
      `  signature  ${signature}`,
      `  example    ${exampleId}: ${exampleReason}`,
    ]);
  }
}

async function show(database: Database, { output }: CommandContext, id: string): Promise<void> {
  const letter = await findDeadLetter(database, id);
  if (letter === null) throw new Error(`there is no dead letter ${id}`);
  output.json(letter, 2);
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
    const letters = found.filter(({ holdsRecord }) => holdsRecord).length;
    context.output.print({ wouldReplay: letters }, flags, () => [`${letters} letters would be put back`]);
    return;
  }
  await withRedis(context, 'replay', async (redis, { namespace, memoryShare }) => {
    const { replayed, skipped } = await replayDeadLetters(
      { database, redis, namespace, memoryShare },
      {
        filter,
        repairs,
        limit: flags.limit,
        perSecond: flags.rate ?? null,
        onProgress: (done) => context.notes.lines([`sluice: ${done} letters put back`]),
      },
    );
    const note = skipped.length === 0 ? '' : `; ${skipped.length} hold no record and cannot be`;
    context.output.print({ replayed, skipped }, flags, () => [`${replayed} letters put back into their queue${note}`]);
  });
}

async function discard(
  database: Database,
  context: CommandContext,
  flags: Selection & { dryRun?: boolean },
): Promise<void> {
  const filter = toFilter(flags);
  if (flags.dryRun) {
    const letters = await countDeadLetters(database, { ...filter, state: 'open' });
    context.output.print({ wouldDiscard: letters }, flags, () => [`${letters} letters would be put aside`]);
    return;
  }
  const discarded = await discardDeadLetters(database, filter);
  context.output.print({ discarded }, flags, () => [`${discarded} letters put aside`]);
}

/** A slip of the pen must not mean every letter. */
function toFilter({ id, signature, queue, all }: Selection): DeadLetterFilter {
  if (!all && id === undefined && signature === undefined && queue === undefined) {
    throw new UsageError('say which letters: --id, --signature, --queue or --all');
  }
  return {
    ...(id === undefined ? {} : { ids: id }),
    ...(signature === undefined ? {} : { signature }),
    ...(queue === undefined ? {} : { queue }),
  };
}
