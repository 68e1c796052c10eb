import { queryTexts } from '../shared/platform/postgres/database.ts';
import type { Column, Row, Session } from './columns.ts';
import { leavesOf, type Place, readRanges, type TableName, toRangeSql } from './table-ranges.ts';

/** How many bytes one statement returns, unless a single row is larger. */
const pageBytes = 4 * 1_024 * 1_024;

/** How many stored bytes it reads. PostgreSQL may have compressed them to a fraction. */
const storedBytes = 1_024 * 1_024;

/** The rows of a table in their physical order, in pages limited by bytes. */
export async function* readTable(
  session: Session,
  table: TableName,
  columns: readonly Column[],
): AsyncGenerator<readonly Row[]> {
  const names = columns.map((_, index) => `c${index}`);
  const bytes = names.map((name) => `coalesce(octet_length(${name}), 0)`).join(' + ');
  for (const leaf of await leavesOf(session, table)) {
    // Ordered by the ids, not by the returned texts, which have the same name.
    const statement = `
      with page as materialized (${toRangeSql(leaf, columns, storedBytes)}),
      measured as (
        select page.*, sum(${bytes}) over (order by place rows unbounded preceding) - (${bytes}) as before from page)
      select found::text, place::text, ${names.join(', ')} from measured where before < ${pageBytes} order by measured.place`;
    let page: Row[] = [];
    const readRange = async (from: Place, until: Place): Promise<Place | null> => {
      const rows = await queryTexts(session, statement, [from, until]);
      page = rows.map((row) => row.slice(2));
      const [found, place] = rows.at(-1) ?? [];
      return rows.length < Number(found ?? 0) ? (place ?? null) : null;
    };
    for await (const _ of readRanges(session, leaf, readRange)) yield page;
  }
}
