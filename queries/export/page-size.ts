/** The most rows of one statement, and the most bytes, unless a single row is larger. */
export const maxPageRows = 1_000;
export const maxPageBytes = 4 * 1_024 * 1_024;

/**
 * SQL around a statement, which keeps its first rows up to `maxPageBytes`. Each row begins with the number of rows that the
 * statement found, which shows whether all of them are there.
 *
 * @param columns names of the statement's columns, all of them text
 * @param order of the rows, by columns of the statement
 */
export function cutByBytes(statement: string, columns: readonly string[], order: string): string {
  const bytes = columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ');
  return `with page as materialized (${statement}),
    measured as (
      select page.*, sum(${bytes}) over (order by ${order} rows unbounded preceding) - (${bytes}) as bytes_before,
        count(*) over () as found
      from page)
    select found::text, ${columns.join(', ')} from measured where bytes_before < ${maxPageBytes} order by ${order}`;
}

/** Names for columns, in order. */
export function columnNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index}`);
}
