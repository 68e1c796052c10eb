import type { Command } from 'commander';
import type { CommandContext } from './context.ts';

export function addConsoleCommand(program: Command, { environment, exitWith }: CommandContext): void {
  program
    .command('console')
    .description('what is stored and how it is doing: page, API and Bull Board, until SIGTERM')
    .addHelpText(
      'after',
      `
It listens at SLUICE_CONSOLE_HOST and SLUICE_CONSOLE_PORT, by default at 127.0.0.1:9464, where it needs no token. Any other address
needs SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN.`,
    )
    .action(async () => {
      // Its libraries would make each other command slower to start.
      const { runConsole } = await import('../console/server/run-console.ts');
      exitWith(await runConsole(environment));
    });
}
