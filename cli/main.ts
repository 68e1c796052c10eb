#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { unknownVariables } from '../shared/config.ts';
import { classifyDatabaseError, explainDatabaseError } from '../shared/database-errors.ts';
import { toError, UsageError } from '../shared/errors.ts';
import { addConsoleCommand } from './console.ts';
import { addDeadLettersCommand } from './dead-letters.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addExecutionsCommand } from './executions.ts';
import { addHealthCommand } from './health.ts';
import { addMaintainCommand } from './maintain.ts';
import { addMigrateCommand } from './migrate.ts';
import { addQueuesCommand } from './queues.ts';
import { addRequestsCommand } from './requests.ts';
import { addSpillCommand } from './spill.ts';
import { addStartCommand } from './start.ts';
import { printable } from './text/printable.ts';
import { addWorkerCommand } from './worker.ts';

/** Beside the sources, and one level further up from the build. */
const packageFile = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';

/** Exit codes of every command: 0 done, 1 failed, 2 called or configured wrongly. */
async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL(packageFile, import.meta.url), 'utf8')) as { version: string };
  const program = new Command('sluice')
    .description('Lands what services observe in Postgres, durably and fast, through a fleet of BullMQ workers.')
    .version(version)
    .showHelpAfterError('(--help tells what is accepted)')
    .exitOverride((error) => {
      throw error;
    });
  let exitCode = 0;
  const context = {
    environment,
    exitWith(code: number) {
      exitCode = code;
    },
  };
  addStartCommand(program, context);
  addDemoCommand(program, context);
  addWorkerCommand(program, context);
  addConsoleCommand(program, context);
  addMigrateCommand(program, context);
  addMaintainCommand(program, context);
  addExecutionsCommand(program, context);
  addRequestsCommand(program, context);
  addQueuesCommand(program, context);
  addDeadLettersCommand(program, context);
  addHealthCommand(program, context);
  addSpillCommand(program, context);
  addDoctorCommand(program, context);

  for (const name of unknownVariables(environment))
    process.stderr.write(`sluice: warning: ${name} is set, but no such variable is known\n`);
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
  const isDatabaseError = 'code' in error && classifyDatabaseError(error).class !== 'unknown';
  const message = isDatabaseError ? `PostgreSQL: ${explainDatabaseError(error)}` : error.message;
  // It may quote what is stored.
  process.stderr.write(`sluice: ${message.split('\n').map(printable).join('\n')}\n`);
  if (error instanceof UsageError) return 2;
  if (environment['SLUICE_LOG_LEVEL'] === 'debug') process.stderr.write(`${error.stack}\n`);
  return 1;
}

if (existsSync('.env')) process.loadEnvFile('.env');
// Not process.exitCode: when a server hangs, so may the connection to it, and the process shall end all the same.
process.exit(await main(process.argv.slice(2), process.env));
