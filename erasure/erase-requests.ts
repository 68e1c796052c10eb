import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { classifyDatabaseError, lockCodes } from '../shared/platform/postgres/database-errors.ts';
import type { TableIdentity } from '../shared/platform/postgres/held-table.ts';
import { eraseRequestRows } from './erase-creator.ts';
import { inPageRanges } from './page-ranges.ts';
import { anyNames, blankedNotes, type RowsErasure, text, valueNames } from './rows.ts';

/** How many requests one statement erases, with their bodies. */
const requestsAtOnce = 100;

/** What stands in place of what names somebody, by column. */
type Blanks = Record<string, string | null>;

/** Both tables of requests: the columns that may name somebody, their replacement, and the owner of a row, as SQL. */
const tables = [
  {
    name: 'request',
    body: 'response_body',
    encoding: 'response_encoding',
    columns: ['model', 'response_body', 'error', 'notes', 'provider', 'finish_reason'],
    blanks: { model: '', response_body: '', error: '{}', provider: null, finish_reason: null } as Blanks,
    owner: 'created_by',
    note: true,
  },
  {
    name: 'request_template',
    body: 'body',
    encoding: 'body_encoding',
    columns: ['path', 'model', 'body'],
    blanks: { path: '', model: '', body: '' } as Blanks,
    owner: '(select created_by from sluice.request where template_id = request_template.id)',
    note: false,
  },
];

export async function requestTables(database: Database): Promise<TableIdentity[]> {
  return database.$queryRaw<TableIdentity[]>(Prisma.sql`
    select class.oid::text as oid, space.nspname as schema, class.relname as name
    from pg_class as class join pg_namespace as space on space.oid = class.relnamespace
    where space.oid = to_regnamespace('sluice') and class.relname in (${Prisma.join(tables.map(({ name }) => name))})
    order by class.relname`);
}

/** Erases a user's requests, which an index finds. */
export async function eraseOwnRequests(
  database: Database,
  { scope: { subject, before }, dryRun, signal, onRange }: Omit<RowsErasure, 'onStuckRow'>,
): Promise<void> {
  if (subject.kind !== 'user') return;
  if (dryRun) {
    const erased = await database.request.count({ where: { createdBy: subject.id } });
    return onRange({ erased, blanked: 0 }, 0);
  }
  for (let limit = requestsAtOnce; !signal.aborted; ) {
    try {
      const erased = await eraseRequestRows(database, subject.id, { before: new Date(before), limit });
      if (erased === 0) return;
      onRange({ erased, blanked: 0 }, 0);
    } catch (error) {
      if (limit === 1 || !lockCodes.includes(classifyDatabaseError(error).code)) throw error;
      limit = Math.floor(limit / 2);
    }
  }
}

/** Blanks what names the subject in other people's requests: in their rows, or in their bodies. */
export async function blankRequests(
  database: Database,
  table: TableIdentity,
  { scope, dryRun, ...options }: RowsErasure,
): Promise<void> {
  const kind = tables.find(({ name }) => name === table.name);
  if (kind === undefined || scope.ownOnly) return;
  const { naming, subject } = scope;
  const decoded = Prisma.raw(decodedBody(kind));
  const isHidden = Prisma.sql`coalesce(position(convert_to(${subject.id}, 'UTF8') in ${decoded}) > 0, false)`;
  // What they have requested since then stays.
  const isOwn = Prisma.sql`${Prisma.raw(kind.owner)} = ${subject.id}`;
  const notOwn = subject.kind === 'user' ? Prisma.sql`(${isOwn}) is not true` : Prisma.sql`true`;
  await inPageRanges(database, table, {
    ...options,
    isReading: dryRun,
    async work({ transaction, rows, range }) {
      const where = Prisma.sql`${range} and (${anyNames(kind.columns, naming)} or ${isHidden}) and ${notOwn}`;
      const assignments = kind.columns.flatMap((column) => {
        const blank = kind.blanks[column];
        if (blank === undefined) return [];
        const names = valueNames(Prisma.raw(text(column)), naming);
        const isNamed = column === kind.body ? Prisma.sql`${names} or ${isHidden}` : names;
        return [Prisma.sql`${Prisma.raw(column)} = case when ${isNamed} then ${blank} else ${Prisma.raw(column)} end`];
      });
      const noted = kind.note ? [blankedNotes(naming)] : [];
      const [counts] = dryRun
        ? await transaction.$queryRaw<{ blanked: number }[]>(
            Prisma.sql`select count(*)::int as blanked from ${rows} where ${where}`,
          )
        : await transaction.$queryRaw<{ blanked: number }[]>(Prisma.sql`
            with blanked as (update ${rows} set ${Prisma.join([...assignments, ...noted], ', ')} where ${where} returning 1)
            select count(*)::int as blanked from blanked`);
      return { erased: 0, blanked: counts?.blanked ?? 0 };
    },
  });
}

/** The bytes of a body that is kept as base64; null for any other, and for one that was cut inside a group. */
function decodedBody({ body, encoding }: { body: string; encoding: string }): string {
  return `case when ${encoding} = 'base64' and length(${body}) % 4 = 0 and ${body} ~ '^[A-Za-z0-9+/]*={0,2}$'
    then decode(${body}, 'base64') end`;
}
