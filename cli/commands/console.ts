import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

export function addConsoleCommand(program: Command, { environment, exitWith }: CommandContext): void {
  program
    .command('console')
    .description('serve the web console, its API and Bull Board until SIGTERM')
    .addHelpText(
      'after',
      `
The console listens on SLUICE_CONSOLE_HOST and SLUICE_CONSOLE_PORT (default: 127.0.0.1:9464). A loopback address needs no token.
Any other address requires SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN.`,
    )
    .action(async () => {
      // Its libraries would make every other command slower to start.
      const { runConsole } = await import('../../console/server/run-console.ts');
      exitWith(await runConsole(environment));
    });
}
