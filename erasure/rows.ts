import { Prisma } from '../shared/platform/postgres/database.ts';
import type { ErasureScope } from './erase-record.ts';
import type { Naming } from './naming.ts';

/** Rows that went, and those of others in which something was blanked. */
export interface RowCounts {
  erased: number;
  blanked: number;
}

/** How rows are erased, and who is told. */
export interface RowsErasure {
  scope: ErasureScope;
  /** rows are only counted */
  dryRun: boolean;
  signal: AbortSignal;
  /** told of what was committed */
  onRange(counts: RowCounts, pages: number): void;
  /** told of a row that was left out: it takes too long, or is locked for too long */
  onStuckRow(): void;
}

/** What a row's notes say when a part of it was blanked. */
const blankedNote = 'erased in part';

/** The notes of a row in which something is blanked, as an assignment: what they said before stays, unless it names the id. */
export function blankedNotes(naming: Naming): Prisma.Sql {
  return Prisma.sql`notes = case when notes is null or ${valueNames(Prisma.raw(text('notes')), naming)}
    then ${blankedNote} else notes || ${`; ${blankedNote}`}::text end`;
}

/** A column as text. Without our own note: its words may be somebody's id. */
export function text(column: string): string {
  return column === 'notes' ? `replace(notes, '${blankedNote}', '')` : `${column}::text`;
}

/** Whether one of the columns names an id: each by itself, since an id may have any character that would join them. */
export function anyNames(columns: readonly string[], naming: Naming): Prisma.Sql {
  const each = columns.map((column) => valueNames(Prisma.raw(text(column)), naming));
  return Prisma.sql`(${Prisma.join(each, ' or ')})`;
}

/** Whether a text names an id, as SQL: first what is cheap. Not null. */
export function valueNames(value: Prisma.Sql, { needles, pattern }: Naming): Prisma.Sql {
  const mayName = Prisma.join(
    needles.map((needle) => Prisma.sql`strpos(${value}, ${needle}::text) > 0`),
    ' or ',
  );
  return Prisma.sql`case when ${mayName} then ${value} ~ ${pattern}::text else false end`;
}
