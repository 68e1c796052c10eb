import { Argument, type Command, Option } from 'commander';
import { createNameBook, nameStrategies } from '../../names/name-book.ts';
import { compareStrategies } from '../../queries/executions/compare.ts';
import { parseContent } from '../../queries/executions/content.ts';
import { type ExecutionPage, listExecutions } from '../../queries/executions/list.ts';
import { findExecution } from '../../queries/executions/one.ts';
import { requireStrategy, type SearchedExecutions, searchExecutions } from '../../queries/executions/search.ts';
import { readStrategy } from '../../queries/executions/strategy.ts';
import type { WindowRequest } from '../../queries/executions/window.ts';
import { toAbsent } from '../../queries/ledger/absent.ts';
import { readAbsent } from '../../queries/ledger/read-absent.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import type { CommandContext } from '../context.ts';
import {
  addExecutionFilterOptions,
  type ExecutionFilterFlags,
  toExecutionFilter,
} from '../options/execution-filter-options.ts';
import { each, uuid, wholeNumber } from '../options/option-values.ts';
import { addWindowOptions, ageMs, readWindow, type WindowFlags } from '../options/window-option.ts';
import { toExecutionLine, toExecutionLines, toExecutionTable } from '../output/execution-lines.ts';
import { toComparisonLines, toStrategyLines } from '../output/strategy-lines.ts';
import { withDatabase } from '../servers.ts';
import { type ReplayFlags, readReplayFlags, replayExecution } from './executions/replay.ts';
import { tailExecutions } from './executions/tail.ts';

interface ListFlags extends WindowFlags, ExecutionFilterFlags {
  node?: string;
  gave?: string;
  input?: string;
  limit: number;
  cursor?: string;
  json?: boolean;
}

interface TailFlags {
  strategy?: string;
  failures?: boolean;
  last: number;
  late: number;
  every: number;
  json?: boolean;
}

const maxLateMs = 3_600_000;

export function addExecutionsCommand(program: Command, context: CommandContext): void {
  const command = program.command('executions').description('list, show, compare, follow and replay strategy runs');
  const asJson = ['--json', 'print the result as JSON'] as const;
  const execution = () => new Argument('<id>', 'id of the execution').argParser(uuid);

  addWindowOptions(
    addExecutionFilterOptions(
      command
        .command('list')
        .description('list executions, newest first')
        .argument('[strategy]', 'id of a strategy (default: all strategies)'),
    ),
  )
    .option('--node <id>', 'only runs whose trace has this node; needs a strategy')
    .option('--gave <value>', "with --node: the value that it gave, such as 10, '>= 10' or '\"text\"'")
    .option('--input <field>', "only runs with such a field of the input, such as 'user.streak >= 4'; needs a strategy")
    .option('--limit <n>', 'maximum number of executions, up to 200', wholeNumber({ min: 1, max: 200 }), 50)
    .option('--cursor <text>', 'continue after the previous page')
    .option(...asJson)
    .action((strategy: string | undefined, flags: ListFlags) =>
      withDatabase(context, 'executions', (database) => list(database, context, strategy ?? null, flags)),
    );
  command
    .command('show')
    .description('show one execution with its input and its trace as a tree')
    .addArgument(execution())
    .option(...asJson)
    .action((id: string, flags: { json?: boolean }) =>
      withDatabase(context, 'executions', (database) => show(database, context, id, flags)),
    );
  addWindowOptions(
    command
      .command('stats')
      .description('show run counts, failures, durations and points of a strategy, estimated from stored rows')
      .argument('<strategy>', 'id of the strategy'),
  )
    .option(
      '--top <n>',
      'number of error codes and cases to list by name, up to 50',
      wholeNumber({ min: 1, max: 50 }),
      10,
    )
    .option(...asJson)
    .action((strategyId: string, flags: WindowFlags & { top: number; json?: boolean }) =>
      withDatabase(context, 'executions', async (database) => {
        const window = readWindow(flags, Date.now());
        const answer = await readStrategy(database, { strategyId, window, top: flags.top });
        const absent = toAbsent(await absentOf(database, context, window), answer.summary);
        context.output.print({ ...(await nameOne(database, answer)), absent }, flags, toStrategyLines);
      }),
    );
  addWindowOptions(
    command
      .command('compare')
      .description('compare two strategies side by side, such as two versions of one strategy')
      .argument('<a>', 'id of a strategy')
      .argument('<b>', 'id of another strategy'),
  )
    .option(...asJson)
    .action((a: string, b: string, flags: WindowFlags & { json?: boolean }) =>
      withDatabase(context, 'executions', async (database) => {
        const window = readWindow(flags, Date.now());
        const answer = await compareStrategies(database, { a, b, window });
        const absent = await absentOf(database, context, window);
        const [first, second] = await Promise.all([nameOne(database, answer.a), nameOne(database, answer.b)]);
        const withAbsent = {
          ...answer,
          a: { ...first, absent: toAbsent(absent, answer.a.summary) },
          b: { ...second, absent: toAbsent(absent, answer.b.summary) },
        };
        context.output.print(withAbsent, flags, toComparisonLines);
      }),
    );
  command
    .command('tail')
    .description('follow executions as they are stored, until Ctrl-C')
    .option('--strategy <id>', 'filter by strategy')
    .option('--failures', 'only runs that are not ok')
    .option('--last <n>', 'start with this many stored executions', wholeNumber({ min: 0, max: 200 }), 10)
    .addOption(
      new Option('--late <age>', 'how late a run may become visible without being missed, up to 1h')
        .argParser(ageMs)
        .default(120_000, '2m'),
    )
    .addOption(
      new Option('--every <ms>', 'poll interval in ms').argParser(wholeNumber({ min: 50, max: 60_000 })).default(1_000),
    )
    .option('--json', 'print each execution as a line of JSON')
    .addHelpText('after', tailHelp)
    .action((flags: TailFlags) => withDatabase(context, 'executions', (database) => tail(database, context, flags)));
  command
    .command('replay')
    .description('print the request that makes a scoring service simulate a run again, or send it')
    .addArgument(execution())
    .option('--url <url>', 'send the request to this URL, such as https://host/api/v1/strategies/custom/{id}/simulate')
    .option('--header <line>', "add a header, such as 'X-API-Key: …'; repeatable", each)
    .option('--program <file>', "JSON file with the strategy's program, which explains the fields in the trace")
    .option('--timeout <seconds>', 'how long to wait for a response', wholeNumber({ min: 1, max: 600 }), 10)
    .option('--yes', 'send without asking')
    .option(...asJson)
    .action((id: string, flags: ReplayFlags) => replay(context, id, flags));
}

const tailHelp = `
Runs appear when their rows become visible, which is not always the order in which they were recorded: a batch that waited for
a lock appears after runs that were recorded later. No run appears twice. A run is missed only if it was recorded more than
--late before the start, or more than --late before a run that appeared first. An outage that delays all runs loses none.`;

/** The figures are of use without it: a ledger that does not tell is only mentioned. */
async function absentOf(database: Database, { notes }: CommandContext, window: WindowRequest) {
  try {
    return await readAbsent(database, { window, realmId: null, nowMs: Date.now() });
  } catch (error) {
    const why = explainDatabaseError(error);
    notes.lines([`sluice: the ledger does not tell whether runs of the window are missing: ${why}`]);
    return null;
  }
}

async function list(database: Database, context: CommandContext, strategyId: string | null, flags: ListFlags) {
  const filter = toExecutionFilter(flags);
  const window = readWindow(flags, Date.now());
  const { limit, cursor = null } = flags;
  const content = parseContent(flags);
  const asked = { window, filter, limit, cursor };
  const page: ExecutionPage & { searched?: SearchedExecutions } =
    content === null
      ? await listExecutions(database, { ...asked, strategyId })
      : await searchExecutions(database, { ...asked, strategyId: requireStrategy(strategyId), content });
  const executions = await nameStrategies(namesOf(database), page.executions);
  context.output.print({ ...page, executions, window }, flags, (_, options) => {
    const { searched } = page;
    const table =
      executions.length === 0
        ? ['no executions']
        : toExecutionTable(executions, { ...options, withStrategy: strategyId === null });
    const scope =
      searched === undefined || searched.since === null
        ? []
        : ['', `looked through ${searched.executions} runs, back to ${searched.since.toISOString()}`];
    const until = window.until.toISOString();
    return page.cursor === null
      ? [...table, ...scope]
      : [...table, ...scope, '', `for more, repeat the command with --until ${until} --cursor ${page.cursor}`];
  });
}

async function show(database: Database, context: CommandContext, id: string, flags: { json?: boolean }) {
  context.output.print(await nameOne(database, await find(database, id)), flags, toExecutionLines);
}

async function tail(database: Database, context: CommandContext, flags: TailFlags): Promise<void> {
  if (flags.late > maxLateMs) throw new UsageError('--late must be at most 1h');
  const { output, notes, untilAskedToStop } = context;
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  const names = namesOf(database);
  const { strategy, failures = false, last, late, every, json } = flags;
  await tailExecutions(database, {
    filter: { failures, ...(strategy === undefined ? {} : { strategyId: strategy }) },
    last,
    lateMs: late,
    everyMs: every,
    signal: AbortSignal.any([stopping.signal, output.closed]),
    async onRows(found) {
      // A run without its name is better than none.
      const rows = await nameStrategies(names, found).catch(() => found);
      if (json) for (const row of rows) output.json(row);
      else output.lines(rows.map(toExecutionLine));
    },
    onTrouble(error) {
      const text =
        error === null ? 'available again' : `${explainDatabaseError(error)}; tail resumes when it is available again`;
      notes.lines([`sluice: PostgreSQL: ${text}`]);
    },
  });
}

async function replay(context: CommandContext, id: string, flags: ReplayFlags): Promise<void> {
  const given = await readReplayFlags(flags);
  const execution = await withDatabase(context, 'executions', (database) => find(database, id));
  context.exitWith(await replayExecution(execution, given, { flags, output: context.output, notes: context.notes }));
}

async function find(database: Database, id: string) {
  const execution = await findExecution(database, id);
  if (execution === null) throw new Error(`no execution has the id ${id}`);
  return execution;
}

function namesOf(database: Database) {
  return createNameBook(database, () => performance.now());
}

async function nameOne<T extends { strategyId: string }>(
  database: Database,
  one: T,
): Promise<T & { strategyName: string | null }> {
  const found = await namesOf(database).find('strategy', [one.strategyId]);
  return { ...one, strategyName: found.get(one.strategyId) ?? null };
}
