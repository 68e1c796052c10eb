import { Argument, type Command, Option } from 'commander';
import { deleteRequest } from '../../erasure/delete-request.ts';
import { createNameBook, nameCreators } from '../../names/name-book.ts';
import { compareRequests } from '../../queries/requests/compare.ts';
import {
  type RequestDimension,
  type RequestOrder,
  requestDimensions,
  requestOrders,
} from '../../queries/requests/dimensions.ts';
import { listRequests, type RequestFilter, type RequestPage } from '../../queries/requests/list-requests.ts';
import { toCompared } from '../../queries/requests/parse-compared.ts';
import { findRequest } from '../../queries/requests/requests.ts';
import { type Searched, searchRequests } from '../../queries/requests/search-requests.ts';
import { readRequestStats } from '../../queries/requests/stats.ts';
import { byteSize } from '../../shared/platform/byte-size.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import type { CommandContext } from '../context.ts';
import { uuid, wholeNumber } from '../options/option-values.ts';
import {
  addRequestFilterOptions,
  addRequestSubjectOptions,
  type RequestFilterFlags,
  toRequestFilter,
} from '../options/request-filter-options.ts';
import { addWindowOptions, ageMs, readWindow, type WindowFlags } from '../options/window-option.ts';
import { toRequestComparisonLines, toRequestStatsLines } from '../output/request-figure-lines.ts';
import { toRequestJson, toRequestLine, toRequestLines, toRequestTable } from '../output/request-lines.ts';
import { withDatabase } from '../servers.ts';
import { type EraseFlags, erase } from './erase-creator.ts';
import { tailRequests } from './requests/tail.ts';

interface ListFlags extends WindowFlags, RequestFilterFlags {
  text?: string;
  limit: number;
  cursor?: string;
  json?: boolean;
}

type SubjectFlags = Omit<RequestFilterFlags, 'state' | 'traceId'>;

interface StatsFlags extends WindowFlags, SubjectFlags {
  by?: RequestDimension;
  sort: RequestOrder;
  top: number;
  bucket?: number;
  json?: boolean;
}

interface CompareFlags extends WindowFlags, SubjectFlags {
  baseSince?: string;
  baseUntil?: string;
  json?: boolean;
}

interface TailFlags extends SubjectFlags {
  failures?: boolean;
  last: number;
  late: number;
  longest: number;
  every: number;
  json?: boolean;
}

const maxLateMs = 3_600_000;
const maxLongestMs = 24 * 3_600_000;

export function addRequestsCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('requests')
    .description('list, show, count, compare, follow, delete and erase model requests');
  const request = () => new Argument('<id>', 'id of the request').argParser(uuid);
  const withRequests = (work: (database: Database) => Promise<void>) => withDatabase(context, 'requests', work);

  addWindowOptions(
    addRequestFilterOptions(
      command.command('list').description('list requests without bodies: those in progress first, then the newest'),
    ),
    'all stored requests',
  )
    .option(
      '--text <text>',
      'only requests whose bodies contain this text; each call looks through up to 2,000 requests',
    )
    .option('--limit <n>', 'maximum number of requests, up to 200', wholeNumber({ min: 1, max: 200 }), 50)
    .option('--cursor <text>', 'continue after the previous page')
    .option('--json', 'print the result as JSON')
    .action((flags: ListFlags) => withRequests((database) => list(database, context, flags)));
  command
    .command('show')
    .description('show one request')
    .addArgument(request())
    .option('--bodies', 'include both bodies and the error, which may be private')
    .option('--json', 'print the result as JSON')
    .action((id: string, flags: { bodies?: boolean; json?: boolean }) =>
      withRequests((database) => show(database, context, id, flags)),
    );
  addWindowOptions(
    addRequestSubjectOptions(
      command
        .command('stats')
        .description('show counts, failures, times, tokens and cost of the requests that arrived within a window'),
    ),
  )
    .addOption(new Option('--by <dimension>', 'group by it').choices(requestDimensions))
    .addOption(new Option('--sort <figure>', 'which groups come first').choices(requestOrders).default('requests'))
    .option('--top <n>', 'number of groups to list, up to 50', wholeNumber({ min: 1, max: 50 }), 10)
    .option('--bucket <seconds>', 'width of the bars over time (default: chosen)', wholeNumber({ min: 1 }))
    .option('--json', 'print the result as JSON')
    .action((flags: StatsFlags) => withRequests((database) => stats(database, context, flags)));
  addWindowOptions(
    addRequestSubjectOptions(
      command
        .command('compare')
        .description('compare two models, or without them the window with an earlier one')
        .argument('[a]', 'a model')
        .argument('[b]', 'another model'),
    ),
  )
    .option('--base-since <time>', 'start of the earlier window (default: one of the same length, right before)')
    .option('--base-until <time>', 'end of the earlier window (default: the start of the window)')
    .option('--json', 'print the result as JSON')
    .action((a: string | undefined, b: string | undefined, flags: CompareFlags) =>
      withRequests((database) => compare(database, context, { a, b }, flags)),
    );
  addRequestSubjectOptions(command.command('tail').description('follow requests as they end, until Ctrl-C'))
    .option('--failures', 'only requests that have failed')
    .option('--last <n>', 'start with this many requests that have ended', wholeNumber({ min: 0, max: 200 }), 10)
    .addOption(
      new Option('--late <age>', 'how late an end may become visible without being missed, up to 1h')
        .argParser(ageMs)
        .default(120_000, '2m'),
    )
    .addOption(
      new Option('--longest <age>', 'how long a request may take without being missed, up to 1d')
        .argParser(ageMs)
        .default(900_000, '15m'),
    )
    .addOption(
      new Option('--every <ms>', 'poll interval in ms').argParser(wholeNumber({ min: 50, max: 60_000 })).default(1_000),
    )
    .option('--json', 'print each request as a line of JSON')
    .addHelpText('after', tailHelp)
    .action((flags: TailFlags) => withRequests((database) => tail(database, context, flags)));
  command
    .command('delete')
    .description('permanently delete one request; records of it that are still queued will not be stored')
    .addArgument(request())
    .option('--created-by <id>', 'delete it only if it has this creator')
    .option('--json', 'print the result as JSON')
    .action((id: string, flags: { createdBy?: string; json?: boolean }) =>
      withRequests((database) => deleteOne(database, context, id, flags)),
    );
  command
    .command('erase')
    .description('permanently erase all requests of a creator until now; can be interrupted and repeated')
    .argument('<creator>', 'id of the creator')
    .option('--dry-run', 'only count the requests')
    .option('--chunk <n>', 'requests per transaction', wholeNumber({ min: 1, max: 10_000 }), 500)
    .option('--yes', 'erase without asking')
    .option('--json', 'print the result as JSON')
    .action((creator: string, flags: EraseFlags) =>
      withRequests((database) => erase(database, context, creator, flags)),
    );
}

const tailHelp = `
Requests appear when the rows of their ends become visible. No request appears twice. One is missed only if it took longer than
--longest, or if its end became visible more than --late after that of another one that was stored later. An outage that delays all
of them loses none.`;

async function list(database: Database, { output }: CommandContext, flags: ListFlags): Promise<void> {
  const { since = 'all', until, limit, cursor = null, text, json } = flags;
  const window = readWindow(omitUndefined({ since, until }), Date.now());
  const filter: RequestFilter = {
    ...toRequestFilter(flags),
    ...(window.since === null ? {} : { from: window.since }),
    // Without an end, requests dated by a clock that is ahead are listed as well.
    ...(until === undefined ? {} : { until: window.until }),
  };
  const found: RequestPage & { searched?: Searched } =
    text === undefined
      ? await listRequests(database, { filter, limit, cursor })
      : await searchRequests(database, { filter, text, limit, cursor });
  const page = { ...found, requests: await nameCreators(namesOf(database), found.requests) };
  if (json) return output.json(page);
  output.lines(page.requests.length === 0 ? ['no requests'] : toRequestTable(page.requests, output));
  const { searched } = page;
  if (searched !== undefined && searched.since !== null) {
    const back = `back to ${searched.since.toISOString()}`;
    output.lines(['', `looked through ${searched.requests} requests, ${byteSize(searched.bytes)} of bodies, ${back}`]);
  }
  if (page.cursor !== null) output.lines(['', `for more, repeat the command with --cursor ${page.cursor}`]);
}

async function stats(database: Database, { output }: CommandContext, flags: StatsFlags): Promise<void> {
  const { by = null, sort, top, bucket } = flags;
  const answer = await readRequestStats(database, {
    window: readWindow(flags, Date.now()),
    subject: toRequestFilter(flags),
    by,
    sort,
    top,
    bucketMs: bucket === undefined ? null : bucket * 1_000,
  });
  output.print(answer, flags, toRequestStatsLines);
}

async function compare(
  database: Database,
  { output }: CommandContext,
  models: { a: string | undefined; b: string | undefined },
  flags: CompareFlags,
): Promise<void> {
  const nowMs = Date.now();
  const window = readWindow(flags, nowMs);
  const base = readBase(flags, nowMs);
  const compared = toCompared({ ...models, ...base }, window);
  const answer = await compareRequests(database, { window, compared, subject: toRequestFilter(flags) });
  output.print(answer, flags, toRequestComparisonLines);
}

/** Ages as times. */
function readBase({ baseSince, baseUntil }: CompareFlags, nowMs: number) {
  const toTime = (text: string): string => readWindow({ since: 'all', until: text }, nowMs).until.toISOString();
  return {
    baseSince: baseSince === undefined ? undefined : toTime(baseSince),
    baseUntil: baseUntil === undefined ? undefined : toTime(baseUntil),
  };
}

async function tail(
  database: Database,
  { output, notes, untilAskedToStop }: CommandContext,
  flags: TailFlags,
): Promise<void> {
  const { failures = false, last, late, longest, every, json } = flags;
  if (late > maxLateMs) throw new UsageError('--late must be at most 1h');
  if (longest > maxLongestMs) throw new UsageError('--longest must be at most 1d');
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  await tailRequests(database, {
    filter: { failures, ...toRequestFilter(flags) },
    last,
    lateMs: late,
    longestMs: longest,
    everyMs: every,
    signal: AbortSignal.any([stopping.signal, output.closed]),
    async onRows(rows) {
      if (json) for (const { request } of rows) output.json(request);
      else output.lines(rows.map(({ request }) => toRequestLine(request)));
    },
    onTrouble(error) {
      const text =
        error === null ? 'available again' : `${explainDatabaseError(error)}; tail resumes when it is available again`;
      notes.lines([`sluice: PostgreSQL: ${text}`]);
    },
  });
}

async function show(
  database: Database,
  { output }: CommandContext,
  id: string,
  { bodies = false, json }: { bodies?: boolean; json?: boolean },
): Promise<void> {
  const found = await findRequest(database, id);
  if (found === null) throw new Error(`no request has the id ${id}`);
  const names = await namesOf(database).find('creator', [found.createdBy]);
  const request = { ...found, creatorName: names.get(found.createdBy) ?? null };
  if (json) output.json(toRequestJson(request, { bodies }));
  else output.lines(toRequestLines(request, { bodies }));
}

async function deleteOne(
  database: Database,
  { output, exitWith }: CommandContext,
  id: string,
  { createdBy, json }: { createdBy?: string; json?: boolean },
): Promise<void> {
  const deletion = await deleteRequest(database, id, { createdBy: createdBy ?? null });
  if (deletion === 'not-found') exitWith(1);
  if (json) output.json({ id, deletion });
  else if (deletion === 'deleted') output.lines([`${id} deleted`]);
  else if (createdBy !== undefined) output.lines([`this creator has no request ${id}; nothing was deleted`]);
  else output.lines([`no stored request has the id ${id}; if one is still queued, it will not be stored`]);
}

function namesOf(database: Database) {
  return createNameBook(database, () => performance.now());
}
