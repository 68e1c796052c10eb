import { Prisma } from '../shared/platform/postgres/database.ts';
import type { ErasureScope } from './erase-record.ts';
import type { Naming } from './naming.ts';

/** How many rows were deleted, and in how many of other people something was blanked. */
export interface RowCounts {
  erased: number;
  blanked: number;
}

/** How rows are erased, and whom to notify. */
export interface RowsErasure {
  scope: ErasureScope;
  /** rows are only counted */
  dryRun: boolean;
  signal: AbortSignal;
  /** called with what was committed */
  onRange(counts: RowCounts, pages: number): void;
  /** called with a row that was left out, because it takes too long or is locked for too long */
  onStuckRow(): void;
}

/** What a row's notes say if a part of it was blanked. */
const blankedNote = 'erased in part';

/** An assignment for the notes of a blanked row: they keep their text, unless it names the id. */
export function blankedNotes(naming: Naming): Prisma.Sql {
  return Prisma.sql`notes = case when notes is null or ${valueNames(Prisma.raw(text('notes')), naming)}
    then ${blankedNote} else notes || ${`; ${blankedNote}`}::text end`;
}

/** A column as text. Without Sluice's own note, whose words may be somebody's id. */
export function text(column: string): string {
  return column === 'notes' ? `replace(notes, '${blankedNote}', '')` : `${column}::text`;
}

/** Whether one of the columns names an id. Each is checked on its own, since an id may contain any separator. */
export function anyNames(columns: readonly string[], naming: Naming): Prisma.Sql {
  const each = columns.map((column) => valueNames(Prisma.raw(text(column)), naming));
  return Prisma.sql`(${Prisma.join(each, ' or ')})`;
}

/** Whether a text names an id, as SQL: the cheap check first. Not null. */
export function valueNames(value: Prisma.Sql, { needles, pattern }: Naming): Prisma.Sql {
  const mayName = Prisma.join(
    needles.map((needle) => Prisma.sql`strpos(${value}, ${needle}::text) > 0`),
    ' or ',
  );
  return Prisma.sql`case when ${mayName} then ${value} ~ ${pattern}::text else false end`;
}
