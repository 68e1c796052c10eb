import { Argument, type Command } from 'commander';
import { runWorker, type WorkerRole, workerRoles } from '../../workers/run-worker.ts';
import type { CommandContext } from '../context.ts';

export function addWorkerCommand(program: Command, { environment, exitWith }: CommandContext): void {
  program
    .command('worker')
    .description('run one worker process until SIGTERM; start more of them to go faster')
    .addArgument(new Argument('<role...>', 'one or more roles').choices(workerRoles))
    .action(async (names: WorkerRole[]) => exitWith(await runWorker([...new Set(names)], environment)));
}
