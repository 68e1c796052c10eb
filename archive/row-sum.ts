import { hash } from 'node:crypto';
import { queryTexts } from '../shared/platform/postgres/database.ts';
import type { Column, Row, Session } from './columns.ts';
import { leavesOf, type Place, readRanges, type TableName, toRangeSql } from './table-ranges.ts';

/**
 * The number of rows, and the sum of one number for each: the first eight bytes of the SHA-256 of its text, as a signed
 * integer. It does not depend on the order of the rows. PostgreSQL and this program compute it alike, without MD5, which
 * some servers refuse.
 */
export interface RowSum {
  rows: number;
  /** decimal digits */
  checksum: string;
}

/** Adds up rows as they arrive. */
export function createRowSum() {
  let rows = 0;
  let sum = 0n;
  return {
    add(row: Row): void {
      rows += 1;
      sum += hash('sha256', toRowText(row), 'buffer').readBigInt64BE(0);
    },
    total: (): RowSum => ({ rows, checksum: String(sum) }),
  };
}

/** Whether two sums are of the same rows. */
export function isSame(a: RowSum, b: RowSum): boolean {
  return a.rows === b.rows && a.checksum === b.checksum;
}

/** Each text is preceded by its length in bytes, so that no two different rows have the same text. */
function toRowText(row: Row): string {
  let text = '';
  for (const value of row) text += value === null ? '-' : `${Buffer.byteLength(value)}:${value}`;
  return text;
}

/** How many stored bytes one statement adds up. */
const storedBytes = 8 * 1_024 * 1_024;

/**
 * The current sum of a table, range by range, so that no statement takes long. It is of a single moment only if nobody can
 * write meanwhile.
 *
 * @returns null if it was asked to stop
 */
export async function sumTable(
  session: Session,
  table: TableName,
  columns: readonly Column[],
  signal: AbortSignal,
): Promise<RowSum | null> {
  let rows = 0;
  let sum = 0n;
  const parts = columns.map((_, index) => `coalesce(octet_length(c${index}) || ':' || c${index}, '-')`).join(' || ');
  for (const leaf of await leavesOf(session, table)) {
    const statement = `select count(*)::text,
        coalesce(sum(('x' || substr(encode(sha256(convert_to(${parts}, 'UTF8')), 'hex'), 1, 16))::bit(64)::bigint), 0)::text,
        max(found)::text, (array_agg(place order by place desc))[1]::text
      from (${toRangeSql(leaf, columns, storedBytes)}) as row`;
    const addRange = async (from: Place, until: Place): Promise<Place | null> => {
      const [[count, part, found, place] = []] = await queryTexts(session, statement, [from, until]);
      rows += Number(count);
      sum += BigInt(part ?? 0);
      return Number(count) < Number(found ?? 0) ? (place ?? null) : null;
    };
    for await (const _ of readRanges(session, leaf, addRange)) if (signal.aborted) return null;
  }
  return { rows, checksum: String(sum) };
}
