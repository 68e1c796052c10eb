import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../../shared/platform/cursor.ts';

/** How far a search has come: the last request that it has looked through. */
export interface SearchPosition {
  createdAt: Date;
  id: string;
}

const place = z.tuple([z.literal('text'), cursorTime, z.uuid()]);

export function toSearchCursor({ createdAt, id }: SearchPosition): string {
  return writeCursor(['text', createdAt, id]);
}

/** @throws UsageError if the text was not written by toSearchCursor */
export function parseSearchCursor(text: string): SearchPosition {
  const [, createdAt, id] = readCursor(text, { place, list: 'requests by their text' });
  return { createdAt, id };
}
