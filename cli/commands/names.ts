import { Argument, type Command, Option } from 'commander';
import { type NameKind, nameKinds } from '../../names/display-name.ts';
import { listNames } from '../../names/find-names.ts';
import { parseNames } from '../../names/parse-names.ts';
import { type WrittenNames, writeNames } from '../../names/write-names.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';
import { toCount } from '../output/figures.ts';
import { toTable } from '../output/table.ts';
import { readText } from '../read-text.ts';
import { withDatabase } from '../servers.ts';

interface ListFlags {
  kind?: NameKind;
  limit: number;
  cursor?: string;
  json?: boolean;
}

export function addNamesCommand(program: Command, context: CommandContext): void {
  const command = program.command('names').description('give names to strategies and creators, and list them');
  command
    .command('import')
    .description('give the names in a file; importing it again changes nothing')
    .addArgument(
      new Argument(
        '<file>',
        'CSV with the columns kind, id and name, or a JSON list of objects with these; kind is strategy or creator; - reads standard input',
      ),
    )
    .option('--replace', 'take away all other names of the kinds that are in the file')
    .option('--json', 'print the result as JSON')
    .action((file: string, flags: { replace?: boolean; json?: boolean }) => importNames(context, file, flags));
  command
    .command('list')
    .description('list names, by kind and id')
    .addOption(new Option('--kind <kind>', 'only names of this kind').choices(nameKinds))
    .option('--limit <n>', 'maximum number of names, up to 10000', wholeNumber({ min: 1, max: 10_000 }), 200)
    .option('--cursor <text>', 'continue after the previous page')
    .option('--json', 'print the result as JSON')
    .action((flags: ListFlags) => withDatabase(context, 'names', (database) => list(database, context, flags)));
}

/** The file is read whole before the database is asked for anything: with one wrong line, nothing of it is used. */
async function importNames(
  context: CommandContext,
  file: string,
  { replace = false, json }: { replace?: boolean; json?: boolean },
): Promise<void> {
  const names = parseNames(await readText(file));
  const written = await withDatabase(context, 'names', (database) => writeNames(database, names, { replace }));
  context.output.print(written, { json }, () => toLines(written));
}

function toLines({ added, changed, unchanged, removed, erased }: WrittenNames): string[] {
  return [
    `${toCount(added)} added, ${toCount(changed)} changed, ${toCount(unchanged)} unchanged, ${toCount(removed)} removed`,
    ...(erased === 0 ? [] : [`${toCount(erased)} left out, because the creator was erased`]),
  ];
}

async function list(database: Database, { output }: CommandContext, flags: ListFlags): Promise<void> {
  const { kind = null, limit, cursor = null } = flags;
  const page = await listNames(database, { kind, limit, cursor });
  output.print(page, flags, (_, terminal) => {
    if (page.names.length === 0) return ['no names'];
    const table = toTable(
      [
        { title: 'kind', cell: (name) => name.kind },
        { title: 'id', cell: ({ id }) => id },
        { title: 'name', cell: ({ name }) => name, min: 8 },
        { title: 'updated', cell: ({ updatedAt }) => updatedAt.toISOString(), optional: true },
      ],
      page.names,
      terminal,
    );
    return page.cursor === null ? table : [...table, '', `for more, repeat the command with --cursor ${page.cursor}`];
  });
}
