import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../../shared/platform/cursor.ts';

/** A position in a list of executions: the last row that was read. */
export interface ExecutionPosition {
  recordedAt: Date;
  id: string;
}

const place = z.tuple([cursorTime, z.uuid()]);

export function toCursor({ recordedAt, id }: ExecutionPosition): string {
  return writeCursor([recordedAt, id]);
}

/** @throws UsageError if the text was not written by toCursor */
export function parseCursor(text: string): ExecutionPosition {
  const [recordedAt, id] = readCursor(text, { place, list: 'executions' });
  return { recordedAt, id };
}
