import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../../shared/platform/cursor.ts';

/** The parts of a list in order: in progress first, ended last. */
export const listParts = ['processing', 'claimed', 'pending', 'ended'] as const;
export type ListPart = (typeof listParts)[number];

/** A position in a list of requests: the last row that was read. */
export interface RequestPosition {
  part: ListPart;
  createdAt: Date;
  id: string;
}

const place = z.tuple([z.enum(listParts), cursorTime, z.uuid()]);

export function toCursor({ part, createdAt, id }: RequestPosition): string {
  return writeCursor([part, createdAt, id]);
}

/** @throws UsageError if the text was not written by toCursor */
export function parseCursor(text: string): RequestPosition {
  const [part, createdAt, id] = readCursor(text, { place, list: 'requests' });
  return { part, createdAt, id };
}
