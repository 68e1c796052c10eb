import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../../shared/platform/cursor.ts';

/** The parts of a list in their order: what is being worked on first, what has ended last. */
export const listParts = ['processing', 'claimed', 'pending', 'ended'] as const;
export type ListPart = (typeof listParts)[number];

/** A place in a list of requests: the row that was read last. */
export interface RequestPosition {
  part: ListPart;
  createdAt: Date;
  id: string;
}

const place = z.tuple([z.enum(listParts), cursorTime, z.uuid()]);

export function toCursor({ part, createdAt, id }: RequestPosition): string {
  return writeCursor([part, createdAt, id]);
}

/** @throws UsageError when the text is not one that toCursor has written */
export function parseCursor(text: string): RequestPosition {
  const [part, createdAt, id] = readCursor(text, { place, list: 'requests' });
  return { part, createdAt, id };
}
