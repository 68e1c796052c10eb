import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';

interface TokenOptions {
  scope: ('executions' | 'requests')[];
  realm?: string[];
  creator?: string[];
  recordsPerSecond?: number;
  bytesPerSecond?: number;
}

export function addGatewayCommand(program: Command, { environment, output, exitWith }: CommandContext): void {
  const gateway = program
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

  gateway
    .command('token')
    .description('make a token for a sender, and its entry for the tokens file, which has only the hash of it')
    .argument('<name>', 'of the sender: 1 to 64 letters, digits, ., - or _', senderName)
    .addOption(
      new Option('--scope <scope...>', 'what it may send')
        .choices(['executions', 'requests'])
        .default(['executions', 'requests']),
    )
    .option('--realm <realm...>', 'the realms that its executions may be of (default: any)')
    .option('--creator <creator...>', 'the creators that its requests may be of (default: any)')
    .option('--records-per-second <n>', 'its quota (default: none)', wholeNumber({ min: 1 }))
    .option('--bytes-per-second <n>', 'its quota of bytes, decompressed (default: none)', wholeNumber({ min: 1 }))
    .action(async (name: string, options: TokenOptions) => {
      const { createToken } = await import('../../gateway/access/create-token.ts');
      const { scope, realm, creator, recordsPerSecond, bytesPerSecond } = options;
      const { token, entry } = createToken({
        name,
        scopes: scope,
        ...(realm === undefined ? {} : { realms: realm }),
        ...(creator === undefined ? {} : { creators: creator }),
        ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
        ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      });
      output.json({ token, entry }, 2);
    });
}

function senderName(text: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 letters, digits, ., - or _.');
}
