import { z } from 'zod';
import { UsageError } from '../../shared/errors.ts';

/** The parts of a list in their order: what is being worked on first, what has ended last. */
export const listParts = ['processing', 'claimed', 'pending', 'ended'] as const;
export type ListPart = (typeof listParts)[number];

/** A place in a list of requests: the row that was read last. */
export interface RequestPosition {
  part: ListPart;
  createdAt: Date;
  id: string;
}

const version = 1;
const cursorSchema = z.tuple([z.literal(version), z.enum(listParts), z.iso.datetime(), z.uuid()]);

/** Writes a position as a text that goes through URLs unchanged. It stays valid whatever is stored or deleted meanwhile. */
export function toCursor({ part, createdAt, id }: RequestPosition): string {
  return Buffer.from(JSON.stringify([version, part, createdAt.toISOString(), id])).toString('base64url');
}

/** @throws UsageError when the text is not one that toCursor has written */
export function parseCursor(text: string): RequestPosition {
  const parsed = cursorSchema.safeParse(jsonIn(text));
  if (!parsed.success) {
    throw new UsageError(
      `cursor ${JSON.stringify(text.slice(0, 200))} is not one that a list of requests has returned`,
    );
  }
  const [, part, createdAt, id] = parsed.data;
  return { part, createdAt: new Date(createdAt), id };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
