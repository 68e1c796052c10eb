import { Argument, type Command } from 'commander';
import { deleteRequest } from '../../erasure/delete-request.ts';
import { createNameBook, nameCreators } from '../../names/name-book.ts';
import { listRequests, type RequestFilter } from '../../queries/requests/list-requests.ts';
import { findRequest } from '../../queries/requests/requests.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { CommandContext } from '../context.ts';
import { uuid, wholeNumber } from '../options/option-values.ts';
import {
  addRequestFilterOptions,
  type RequestFilterFlags,
  toRequestFilter,
} from '../options/request-filter-options.ts';
import { addWindowOptions, readWindow, type WindowFlags } from '../options/window-option.ts';
import { toRequestJson, toRequestLines, toRequestTable } from '../output/request-lines.ts';
import { withDatabase } from '../servers.ts';
import { type EraseFlags, erase } from './erase-creator.ts';

interface ListFlags extends WindowFlags, RequestFilterFlags {
  limit: number;
  cursor?: string;
  json?: boolean;
}

export function addRequestsCommand(program: Command, context: CommandContext): void {
  const command = program.command('requests').description('list, show, delete and erase model requests');
  const request = () => new Argument('<id>', 'id of the request').argParser(uuid);
  const withRequests = (work: (database: Database) => Promise<void>) => withDatabase(context, 'requests', work);

  addWindowOptions(
    addRequestFilterOptions(
      command.command('list').description('list requests without bodies: those in progress first, then the newest'),
    ),
    'all stored requests',
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

async function list(database: Database, { output }: CommandContext, flags: ListFlags): Promise<void> {
  const { since = 'all', until, limit, cursor, json } = flags;
  const window = readWindow(omitUndefined({ since, until }), Date.now());
  const filter: RequestFilter = {
    ...toRequestFilter(flags),
    ...(window.since === null ? {} : { from: window.since }),
    // Without an end, requests dated by a clock that is ahead are listed as well.
    ...(until === undefined ? {} : { until: window.until }),
  };
  const found = await listRequests(database, { filter, limit, cursor: cursor ?? null });
  const page = { ...found, requests: await nameCreators(namesOf(database), found.requests) };
  if (json) output.json(page);
  else if (page.requests.length === 0) output.lines(['no requests']);
  else {
    output.lines(toRequestTable(page.requests, output));
    if (page.cursor !== null) output.lines(['', `for more, repeat the command with --cursor ${page.cursor}`]);
  }
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
