import { z } from 'zod';
import { UsageError } from '../../../shared/errors.ts';

/** A place in a list of executions: the row that was read last. */
export interface ExecutionPosition {
  recordedAt: Date;
  id: string;
}

const version = 1;
const cursorSchema = z.tuple([z.literal(version), z.iso.datetime(), z.uuid()]);

/** Writes a position as a text that goes through URLs unchanged. It stays valid whatever is stored or dropped meanwhile. */
export function toCursor({ recordedAt, id }: ExecutionPosition): string {
  return Buffer.from(JSON.stringify([version, recordedAt.toISOString(), id])).toString('base64url');
}

/** @throws UsageError when the text is not one that toCursor has written */
export function parseCursor(text: string): ExecutionPosition {
  const parsed = cursorSchema.safeParse(jsonIn(text));
  if (!parsed.success) {
    throw new UsageError(
      `cursor ${JSON.stringify(text.slice(0, 200))} is not one that a list of executions has returned`,
    );
  }
  const [, recordedAt, id] = parsed.data;
  return { recordedAt: new Date(recordedAt), id };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
