import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { explainFileError } from '../archive/archive-file.ts';
import { environmentWarnings } from '../shared/platform/config/foreign-variables.ts';
import { endsWithin } from '../shared/platform/deadline.ts';
import { toError, UsageError } from '../shared/platform/errors.ts';
import { classifyDatabaseError } from '../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../shared/platform/postgres/explain-database-error.ts';
import type { CommandContext } from './context.ts';
import { lastingCommands } from './lasting-commands.ts';
import { createOutput } from './output/output.ts';
import { printable } from './output/printable.ts';
import { writeWhole } from './output/write-whole.ts';

/** Adds a command to the program. */
type AddCommand = (program: Command, context: CommandContext) => void;

/** Each is loaded when it is called: what the others need would make it slower to start. In the order of the help. */
const commands: Record<string, () => Promise<AddCommand>> = {
  start: async () => (await import('./commands/start.ts')).addStartCommand,
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  worker: async () => (await import('./commands/worker.ts')).addWorkerCommand,
  console: async () => (await import('./commands/console.ts')).addConsoleCommand,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrateCommand,
  grants: async () => (await import('./commands/grants.ts')).addGrantsCommand,
  maintain: async () => (await import('./commands/maintain.ts')).addMaintainCommand,
  archive: async () => (await import('./commands/archive.ts')).addArchiveCommand,
  export: async () => (await import('./commands/export.ts')).addExportCommand,
  executions: async () => (await import('./commands/executions.ts')).addExecutionsCommand,
  requests: async () => (await import('./commands/requests.ts')).addRequestsCommand,
  erase: async () => (await import('./commands/erase-subject.ts')).addEraseCommand,
  queues: async () => (await import('./commands/queues.ts')).addQueuesCommand,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).addDeadLettersCommand,
  health: async () => (await import('./commands/health.ts')).addHealthCommand,
  spill: async () => (await import('./commands/spill.ts')).addSpillCommand,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
};

/** Beside the sources, and one level further up from the build. */
const packageFile = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';

/** Exit codes of every command: 0 done, 1 failed, 2 called or configured wrongly. */
async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL(packageFile, import.meta.url), 'utf8')) as { version: string };
  const program = new Command('sluice')
    .description('Stores what services observe in PostgreSQL, durably and fast, through a fleet of BullMQ workers.')
    .version(version)
    .showHelpAfterError('(run with --help for usage)')
    // It quotes what was typed, which may have been copied from what is stored.
    .configureOutput({ outputError: (text, write) => write(text.split('\n').map(printable).join('\n')) })
    .exitOverride((error) => {
      throw error;
    });
  let exitCode = 0;
  const context = {
    environment,
    output: createOutput(environment),
    notes: createOutput(environment, process.stderr),
    exitWith(code: number) {
      exitCode = code;
    },
  };
  const [called = ''] = argv;
  const wanted = Object.hasOwn(commands, called) ? [called] : Object.keys(commands);
  for (const name of wanted) (await commands[name]?.())?.(program, context);

  for (const warning of environmentWarnings(environment)) process.stderr.write(`sluice: warning: ${warning}\n`);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return report(thrown, environment);
  }
}

function report(thrown: unknown, environment: NodeJS.ProcessEnv): number {
  const error = toError(thrown);
  // Commander has said what it has to say; help and version are no mistakes.
  if ('exitCode' in error && typeof error.exitCode === 'number') return error.exitCode === 0 ? 0 : 2;
  // An error of ours that has one of the database's as its cause says itself what is to be said.
  const said = 'code' in error ? error : { message: error.message };
  const isDatabaseError = classifyDatabaseError(said).class !== 'unknown';
  const message = isDatabaseError ? `PostgreSQL: ${explainDatabaseError(error)}` : error.message;
  // It may quote what is stored.
  process.stderr.write(`sluice: ${message.split('\n').map(printable).join('\n')}\n`);
  if (error instanceof UsageError) return 2;
  if (environment['SLUICE_LOG_LEVEL'] === 'debug') process.stderr.write(`${error.stack}\n`);
  return 1;
}

/** They print no result, so nothing is lost that somebody had asked for. */
const withoutResult = ['start', 'worker', 'console'];

const lastWordsMs = 1_000;

/** Resolves when all that was written has been taken, or nobody is there any more to take it. */
async function taken(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

/** Calls a command, and ends the process when it is done and what it said has been taken. */
export async function runProgram(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<never> {
  let lost: string | null = null;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      // A reader that has seen enough, as `head`, is no failure. A full disk is.
      if (code !== 'EPIPE') lost ??= code;
    });
  writeWhole(process.stdout);
  const [command = ''] = argv;
  const exitCode = await main(argv, environment);
  // A pipe takes 64 KiB at once; the rest would be lost when the process ends before its reader has come to it.
  const said = Promise.all([taken(process.stdout), taken(process.stderr)]);
  await (lastingCommands.includes(command) ? endsWithin(said, lastWordsMs) : said);
  // What went wrong with the last words is told by events.
  await setImmediate();
  if (lost === null || withoutResult.includes(command)) process.exit(exitCode);
  process.stderr.write(`sluice: the output could not be written (${lost}): ${explainFileError(lost)}\n`);
  await endsWithin(taken(process.stderr), lastWordsMs);
  // Not process.exitCode: when a server hangs, so may the connection to it, and the process shall end all the same.
  process.exit(exitCode === 0 ? 1 : exitCode);
}
