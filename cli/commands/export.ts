import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { createPendingFile, removeAbandoned } from '../../archive/archive-file.ts';
import type { Column, Row } from '../../archive/columns.ts';
import { exportExecutions, readExecutionColumns } from '../../queries/export/executions.ts';
import { exportRequests, requestColumns } from '../../queries/export/requests.ts';
import type { RequestFilter } from '../../queries/requests/list-requests.ts';

import { UsageError } from '../../shared/platform/errors.ts';
import type { CommandContext } from '../context.ts';
import {
  addExecutionFilterOptions,
  type ExecutionFilterFlags,
  toExecutionFilter,
} from '../options/execution-filter-options.ts';
import {
  addRequestFilterOptions,
  type RequestFilterFlags,
  toRequestFilter,
} from '../options/request-filter-options.ts';
import { addWindowOptions, readWindow, type WindowFlags } from '../options/window-option.ts';
import { createRowWriter, type ExportFormat, exportFormats } from '../output/export/row-writer.ts';
import { createStreamSink } from '../output/export/stream-sink.ts';
import { toCount } from '../output/figures.ts';
import { withDatabase } from '../servers.ts';

interface ExportFlags extends WindowFlags {
  format: ExportFormat;
  output?: string;
}

interface ExecutionFlags extends ExportFlags, ExecutionFilterFlags {
  strategy?: string;
}

interface RequestFlags extends ExportFlags, RequestFilterFlags {}

export function addExportCommand(program: Command, context: CommandContext): void {
  const command = program.command('export').description('export any number of rows to a file or a pipe');
  const add = (name: string, description: string): Command =>
    addWindowOptions(command.command(name).description(description))
      .addOption(new Option('--format <format>', 'output format').choices(exportFormats).default('ndjson'))
      .option('--output <file>', 'file to write (default: standard output)');

  addExecutionFilterOptions(
    add('executions', 'export executions, oldest first').option('--strategy <id>', 'filter by strategy'),
  ).action((flags: ExecutionFlags) =>
    withDatabase(context, 'export', async (database) => {
      const columns = await readExecutionColumns(database);
      const question = {
        strategyId: flags.strategy ?? null,
        filter: toExecutionFilter(flags),
        ...readWindow(flags, Date.now()),
      };
      await write(context, flags, columns, exportExecutions(database, columns, question));
    }),
  );
  addRequestFilterOptions(add('requests', 'export requests with their bodies, oldest first')).action(
    (flags: RequestFlags) =>
      withDatabase(context, 'export', (database) =>
        write(context, flags, requestColumns, exportRequests(database, toRequestQuestion(flags))),
      ),
  );
}

function toRequestQuestion(flags: RequestFlags): RequestFilter {
  const { since, until } = readWindow(flags, Date.now());
  return { ...toRequestFilter(flags), ...(since === null ? {} : { from: since }), until };
}

/** Writes the rows, and reports progress on standard error. The file gets its name only when all of them are in it. */
async function write(
  { output: { closed }, untilAskedToStop, exitWith }: CommandContext,
  { format, output }: ExportFlags,
  columns: readonly Column[],
  pages: AsyncIterable<readonly Row[]>,
): Promise<void> {
  if (output === undefined && format === 'parquet' && process.stdout.isTTY)
    throw new UsageError('Parquet cannot be written to a terminal: give --output FILE, or pipe the output');
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  const path = output === undefined ? null : await toFilePath(output);
  // Only for an early message: a problem with the directory shows when the file is created.
  if (path !== null) await removeAbandoned(dirname(path), `${basename(path)}.`).catch(() => undefined);
  const file = path === null ? null : await createPendingFile(path);
  const progress = createProgress();
  try {
    const ended = AbortSignal.any([closed, stopping.signal]);
    const writer = createRowWriter(format, file ?? createStreamSink(process.stdout, ended), columns);
    for await (const rows of pages) {
      if (ended.aborted) break;
      await writer.write(rows);
      if (!ended.aborted) progress.add(rows.length);
    }
    if (!ended.aborted) await writer.end();
    // A failure of the last write is reported by an event.
    await setImmediate();
    // The reader has closed the pipe, or nothing more can be written.
    if (closed.aborted) return;
    if (stopping.signal.aborted) {
      progress.say('stopped', path === null ? '' : '; no file was written');
      exitWith(1);
      return;
    }
    if (file !== null && path !== null) {
      await file.end();
      await file.giveName(path);
    }
    progress.say('done', '');
  } finally {
    await file?.discard();
  }
}

/** Where the file goes. A link is followed; a device or pipe is refused, because a file would replace it. */
async function toFilePath(output: string): Promise<string> {
  const path = await realpath(output).catch(() => resolve(output));
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile())
    throw new UsageError(
      `--output: ${output} is not a regular file; omit --output and redirect standard output instead`,
    );
  return path;
}

const sayEveryMs = 2_000;

function createProgress() {
  let rows = 0;
  let saidAt = performance.now();
  const startedAt = saidAt;
  const say = (what: string, more: string): void => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stderr.write(`sluice: ${toCount(rows)} rows exported in ${seconds} s, ${what}${more}\n`);
  };
  return {
    say,
    add(count: number): void {
      rows += count;
      if (performance.now() - saidAt < sayEveryMs) return;
      saidAt = performance.now();
      say('continuing', '');
    },
  };
}
