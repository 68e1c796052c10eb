import { type Command, Option } from 'commander';
import type { Accounts } from '../../queries/ledger/accounts.ts';
import { readAccounts } from '../../queries/ledger/read-accounts.ts';
import { type QueueName, queueNames } from '../../shared/contracts/queues.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import type { CommandContext } from '../context.ts';
import { addWindowOptions, readWindow, type WindowFlags } from '../options/window-option.ts';
import { toLedgerLines } from '../output/ledger-lines.ts';
import { withDatabase, withRedis } from '../servers.ts';

interface LedgerFlags extends WindowFlags {
  producer?: string;
  realm?: string;
  queue?: QueueName;
  json?: boolean;
}

export function addLedgerCommand(program: Command, context: CommandContext): void {
  addWindowOptions(
    program
      .command('ledger')
      .description('show whether the books balance: of all that was recorded, what is stored, and where the rest is'),
  )
    .option('--producer <name>', 'filter by producer')
    .option('--realm <id>', 'filter by realm')
    .addOption(new Option('--queue <queue>', 'filter by queue').choices(queueNames))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async (flags: LedgerFlags) => {
      const accounts = await ask(context, flags);
      context.output.print(accounts, flags, toLedgerLines);
      context.exitWith(isInOrder(accounts) ? 0 : 1);
    });
}

const help = `
The window is in whole minutes, by the clocks of the producers.

Exit codes: 0 nothing is missing, 1 records are missing, or the counts do not agree, or a server could not be asked, 2 incorrect usage.`;

/** What the ledger knows without Redis is shown all the same. */
async function ask(context: CommandContext, flags: LedgerFlags): Promise<Accounts> {
  const { producer, realm, queue } = flags;
  const question = { window: readWindow(flags, Date.now()), ...omitUndefined({ producer, realm, queue }) };
  return withDatabase(context, 'ledger', async (database) => {
    try {
      return await withRedis(context, 'ledger', (redis, { namespace }) =>
        readAccounts(database, { redis, namespace }, question),
      );
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('Redis: '))) throw error;
      context.notes.lines([`sluice: ${error.message}; what it has is not in these books`]);
      return readAccounts(database, null, question);
    }
  });
}

function isInOrder({ verdict: { state } }: Accounts): boolean {
  return state !== 'missing' && state !== 'disagreeing' && state !== 'unchecked';
}
