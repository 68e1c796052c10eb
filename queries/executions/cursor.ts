import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../../shared/platform/cursor.ts';

/** A place in a list of executions: the row that was read last. */
export interface ExecutionPosition {
  recordedAt: Date;
  id: string;
}

const place = z.tuple([cursorTime, z.uuid()]);

export function toCursor({ recordedAt, id }: ExecutionPosition): string {
  return writeCursor([recordedAt, id]);
}

/** @throws UsageError when the text is not one that toCursor has written */
export function parseCursor(text: string): ExecutionPosition {
  const [recordedAt, id] = readCursor(text, { place, list: 'executions' });
  return { recordedAt, id };
}
