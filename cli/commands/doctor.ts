import type { Command } from 'commander';
import { runChecks } from '../../doctor/run-checks.ts';
import { configGroups, readConfig } from '../../shared/platform/config/config.ts';
import type { CommandContext } from '../context.ts';
import { toFindingLines } from './doctor-lines.ts';

export function addDoctorCommand(program: Command, { environment, output, exitWith }: CommandContext): void {
  program
    .command('doctor')
    .description('check servers, tables, queues and configuration for common problems; changes nothing')
    .option('--json', 'print the findings as one JSON object')
    .addHelpText('after', '\nExit codes: 0 all ok or warnings only, 1 at least one failure, 2 incorrect usage.')
    .action(async ({ json }: { json?: boolean }) => {
      const checkRun = await runChecks(readConfig(environment, configGroups).config, environment);
      if (json) output.json(checkRun);
      else output.lines(toFindingLines(checkRun.findings));
      exitWith(checkRun.worst === 'failure' ? 1 : 0);
    });
}
