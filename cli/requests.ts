import { Argument, type Command } from 'commander';
import { deleteRequest } from '../console/repository/delete-request.ts';
import { listRequests, type RequestFilter } from '../console/repository/list-requests.ts';
import { findRequest } from '../console/repository/requests.ts';
import type { Database } from '../shared/database.ts';
import type { CommandContext } from './context.ts';
import { type EraseFlags, erase } from './erase.ts';
import { uuid, wholeNumber } from './option-values.ts';
import { addRequestFilterOptions, type RequestFilterFlags, toRequestFilter } from './request-filter-options.ts';
import { toRequestJson, toRequestLines, toRequestTable } from './requests-text.ts';
import { withDatabase } from './servers.ts';
import { addWindowOptions, readWindow, type WindowFlags } from './window-option.ts';

interface ListFlags extends WindowFlags, RequestFilterFlags {
  limit: number;
  cursor?: string;
  json?: boolean;
}

export function addRequestsCommand(program: Command, context: CommandContext): void {
  const command = program.command('requests').description('requests to models: find them, read them, erase them');
  const request = () => new Argument('<id>', 'of a request').argParser(uuid);
  const withRequests = (work: (database: Database) => Promise<void>) => withDatabase(context, 'requests', work);

  addWindowOptions(
    addRequestFilterOptions(
      command
        .command('list')
        .description('requests without their bodies: what is being worked on first, then the newest'),
    ),
    'all that are stored',
  )
    .option('--limit <n>', 'at most so many, up to 200', wholeNumber({ min: 1, max: 200 }), 50)
    .option('--cursor <text>', 'go on where the page before ended')
    .option('--json', 'print the result as JSON')
    .action((flags: ListFlags) => withRequests((database) => list(database, context, flags)));
  command
    .command('show')
    .description('one request')
    .addArgument(request())
    .option('--bodies', 'with both bodies and the error, which may be private')
    .option('--json', 'print the result as JSON')
    .action((id: string, flags: { bodies?: boolean; json?: boolean }) =>
      withRequests((database) => show(database, context, id, flags)),
    );
  command
    .command('delete')
    .description('delete one request for good; what is still in the queue of it is not stored')
    .addArgument(request())
    .option('--created-by <id>', 'only if it is of this creator')
    .option('--json', 'print the result as JSON')
    .action((id: string, flags: { createdBy?: string; json?: boolean }) =>
      withRequests((database) => deleteOne(database, context, id, flags)),
    );
  command
    .command('erase')
    .description('erase all that a creator has requested until now, for good; may be broken off and called again')
    .argument('<creator>', 'the id of the creator')
    .option('--dry-run', 'only say how many there are')
    .option('--chunk <n>', 'requests in one transaction', wholeNumber({ min: 1, max: 10_000 }), 500)
    .option('--yes', 'erase without asking')
    .option('--json', 'print the result as JSON')
    .action((creator: string, flags: EraseFlags) =>
      withRequests((database) => erase(database, context, creator, flags)),
    );
}

async function list(database: Database, { output }: CommandContext, flags: ListFlags): Promise<void> {
  const { since = 'all', until, limit, cursor, json } = flags;
  const window = readWindow({ since, ...(until === undefined ? {} : { until }) }, Date.now());
  const filter: RequestFilter = {
    ...toRequestFilter(flags),
    ...(window.since === null ? {} : { from: window.since }),
    // Without an end that was asked for, what a clock that is ahead has dated is listed, too.
    ...(until === undefined ? {} : { until: window.until }),
  };
  const page = await listRequests(database, { filter, limit, ...(cursor === undefined ? {} : { cursor }) });
  if (json) output.json(page);
  else if (page.requests.length === 0) output.lines(['no requests']);
  else {
    output.lines(toRequestTable(page.requests, output));
    if (page.cursor !== null) output.lines(['', `there are more: the same with --cursor ${page.cursor}`]);
  }
}

async function show(
  database: Database,
  { output }: CommandContext,
  id: string,
  { bodies = false, json }: { bodies?: boolean; json?: boolean },
): Promise<void> {
  const request = await findRequest(database, id);
  if (request === null) throw new Error(`there is no request ${id}`);
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
  else if (createdBy !== undefined) output.lines([`there is no request ${id} of this creator; nothing was deleted`]);
  else output.lines([`there is no request ${id}; when one comes out of the queue, it is not stored`]);
}
