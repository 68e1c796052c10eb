import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

export function addGatewayCommand(program: Command, { environment, exitWith }: CommandContext): void {
  program
    .command('gateway')
    .description('take records from services of any language over HTTP, until SIGTERM')
    .addHelpText(
      'after',
      `
The gateway listens on SLUICE_GATEWAY_HOST and SLUICE_GATEWAY_PORT (default: 127.0.0.1:9466). A loopback address needs no token.
Any other address requires SLUICE_GATEWAY_TOKENS_FILE.`,
    )
    .action(async () => {
      // Its libraries would make every other command slower to start.
      const { runGateway } = await import('../../gateway/run-gateway.ts');
      exitWith(await runGateway(environment));
    });
}
