import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { explainFileError } from '../archive/archive-file.ts';
import { environmentWarnings } from '../shared/platform/config/foreign-variables.ts';
import { endsWithin } from '../shared/platform/deadline.ts';
import { toError, UsageError } from '../shared/platform/errors.ts';
import { untilAskedToStop } from '../shared/platform/lifecycle.ts';
import { classifyDatabaseError } from '../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../shared/platform/postgres/explain-database-error.ts';
import type { CommandContext } from './context.ts';
import { lastingCommands } from './lasting-commands.ts';
import { createOutput } from './output/output.ts';
import { printable } from './output/printable.ts';
import { writeWhole } from './output/write-whole.ts';

/** Adds a command to the program. */
type AddCommand = (program: Command, context: CommandContext) => void;

/** Each command is loaded only when it is called, so that it does not slow down the start of others. In the order of the help. */
const commands: Record<string, () => Promise<AddCommand>> = {
  start: async () => (await import('./commands/start.ts')).addStartCommand,
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  worker: async () => (await import('./commands/worker.ts')).addWorkerCommand,
  gateway: async () => (await import('./commands/gateway.ts')).addGatewayCommand,
  console: async () => (await import('./commands/console.ts')).addConsoleCommand,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrateCommand,
  grants: async () => (await import('./commands/grants.ts')).addGrantsCommand,
  maintain: async () => (await import('./commands/maintain.ts')).addMaintainCommand,
  archive: async () => (await import('./commands/archive.ts')).addArchiveCommand,
  export: async () => (await import('./commands/export.ts')).addExportCommand,
  executions: async () => (await import('./commands/executions.ts')).addExecutionsCommand,
  requests: async () => (await import('./commands/requests.ts')).addRequestsCommand,
  prices: async () => (await import('./commands/prices.ts')).addPricesCommand,
  names: async () => (await import('./commands/names.ts')).addNamesCommand,
  erase: async () => (await import('./commands/erase.ts')).addEraseCommand,
  queues: async () => (await import('./commands/queues.ts')).addQueuesCommand,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).addDeadLettersCommand,
  ledger: async () => (await import('./commands/ledger.ts')).addLedgerCommand,
  health: async () => (await import('./commands/health.ts')).addHealthCommand,
  spill: async () => (await import('./commands/spill.ts')).addSpillCommand,
  capacity: async () => (await import('./commands/capacity.ts')).addCapacityCommand,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
};

/** Next to the sources, and one level further up from the build. */
const packageFile = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';

/** Exit codes of every command: 0 done, 1 failed, 2 incorrect usage or configuration. */
async function main(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  onAskedToStop: () => void,
): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL(packageFile, import.meta.url), 'utf8')) as { version: string };
  const program = new Command('sluice')
    .description('Stores what services observe in PostgreSQL, durably and fast, through a fleet of BullMQ workers.')
    .version(version)
    .showHelpAfterError('(run with --help for usage)')
    // The message quotes what was typed, which may have been copied from stored data.
    .configureOutput({ outputError: (text, write) => write(text.split('\n').map(printable).join('\n')) })
    .exitOverride((error) => {
      throw error;
    });
  let exitCode = 0;
  const context = {
    environment,
    output: createOutput(environment),
    notes: createOutput(environment, process.stderr),
    async untilAskedToStop() {
      const reason = await untilAskedToStop();
      onAskedToStop();
      return reason;
    },
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
  // Commander has printed its message; help and version are not errors.
  if ('exitCode' in error && typeof error.exitCode === 'number') return error.exitCode === 0 ? 0 : 2;
  // An error of Sluice with a database error as its cause has a complete message of its own.
  const said = 'code' in error ? error : { message: error.message };
  const isDatabaseError = classifyDatabaseError(said).class !== 'unknown';
  const message = isDatabaseError ? `PostgreSQL: ${explainDatabaseError(error)}` : error.message;
  // The message may quote stored data.
  process.stderr.write(`sluice: ${message.split('\n').map(printable).join('\n')}\n`);
  if (error instanceof UsageError) return 2;
  if (environment['SLUICE_LOG_LEVEL'] === 'debug') process.stderr.write(`${error.stack}\n`);
  return 1;
}

/** They print no result, so nothing that somebody asked for is lost. */
const withoutResult = ['start', 'worker', 'gateway', 'console'];

const lastWordsMs = 1_000;

/** Resolves when everything written has been accepted, or nobody is left to accept it. */
async function taken(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

/** Runs a command, and ends the process when the command is done and its output has been accepted. */
export async function runProgram(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<never> {
  let lost: string | null = null;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      // A reader that stops early, such as `head`, is not a failure. A full disk is.
      if (code !== 'EPIPE') lost ??= code;
    });
  writeWhole(process.stdout);
  const [command = ''] = argv;
  let endsInTime = lastingCommands.includes(command);
  const exitCode = await main(argv, environment, () => {
    endsInTime = true;
  });
  // A pipe accepts 64 KiB at once; the rest would be lost if the process ended before its reader got to it.
  const said = Promise.all([taken(process.stdout), taken(process.stderr)]);
  await (endsInTime ? endsWithin(said, lastWordsMs) : said);
  // Events report a failure of the last writes.
  await setImmediate();
  if (lost === null || withoutResult.includes(command)) process.exit(exitCode);
  process.stderr.write(`sluice: the output could not be written (${lost}): ${explainFileError(lost)}\n`);
  await endsWithin(taken(process.stderr), lastWordsMs);
  // Not process.exitCode: if a server hangs, its connection may hang as well, and the process must end anyway.
  process.exit(exitCode === 0 ? 1 : exitCode);
}
