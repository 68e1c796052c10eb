import { Argument, type Command } from 'commander';
import { listPrices } from '../../queries/requests/list-prices.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { CommandContext } from '../context.ts';
import { toPriceTable } from '../output/price-lines.ts';
import { parsePrices } from '../prices/parse-prices.ts';
import { type StoredPrices, storePrices } from '../prices/store-prices.ts';
import { readText } from '../read-text.ts';
import { withDatabase } from '../servers.ts';

export function addPricesCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('prices')
    .description('import and list the prices of tokens, which costs are computed with');
  command
    .command('import')
    .description(
      'store the prices in a file; importing it again changes nothing, and a corrected price corrects the past',
    )
    .addArgument(
      new Argument(
        '<file>',
        'CSV with the columns provider, model, valid_from, valid_until, currency, input, cached_input, output and source, or a JSON list of objects with these; - reads standard input',
      ),
    )
    .option('--replace', 'remove all other prices of the sources that are in the file')
    .option('--json', 'print the result as JSON')
    .action((file: string, flags: { replace?: boolean; json?: boolean }) => importPrices(context, file, flags));
  command
    .command('list')
    .description('list prices for a million tokens')
    .option('--model <name>', 'only prices that count for this model, the one that goes before the others first')
    .option('--json', 'print the result as JSON')
    .action((flags: { model?: string; json?: boolean }) =>
      withDatabase(context, 'prices', (database) => list(database, context, flags)),
    );
}

/** The file is read whole before the database is asked for anything: with one wrong line, nothing of it is used. */
async function importPrices(
  context: CommandContext,
  file: string,
  { replace = false, json }: { replace?: boolean; json?: boolean },
): Promise<void> {
  const prices = parsePrices(await readText(file));
  const stored = await withDatabase(context, 'prices', (database) => storePrices(database, prices, { replace }));
  context.output.print(stored, { json }, toLines);
}

function toLines({ added, changed, unchanged, removed }: StoredPrices): string[] {
  return [`${added} added, ${changed} changed, ${unchanged} unchanged, ${removed} removed`];
}

async function list(
  database: Database,
  { output }: CommandContext,
  flags: { model?: string; json?: boolean },
): Promise<void> {
  const prices = await listPrices(database, flags.model ?? null);
  output.print(prices, flags, (_, terminal) => (prices.length === 0 ? ['no prices'] : toPriceTable(prices, terminal)));
}
