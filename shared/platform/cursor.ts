import { z } from 'zod';
import { UsageError } from './errors.ts';
import { jsonOrNull } from './json-or-null.ts';

const version = 1;

/** The time of a row, in a cursor. PostgreSQL has no year 0. */
export const cursorTime = z.iso
  .datetime()
  .refine((text) => !text.startsWith('0000'))
  .transform((text) => new Date(text));

/** Writes a place in a list as a text that goes through URLs unchanged. It stays valid whatever is stored or deleted meanwhile. */
export function writeCursor(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([version, ...place])).toString('base64url');
}

/**
 * Reads a place that `writeCursor` has written.
 *
 * @param list what it is a list of, for the message
 * @throws UsageError when the text is none
 */
export function readCursor<Place>(text: string, { place, list }: { place: z.ZodType<Place>; list: string }): Place {
  const content = jsonOrNull(Buffer.from(text, 'base64url').toString('utf8'));
  const [first, ...rest] = Array.isArray(content) ? content : [];
  const parsed = place.safeParse(rest);
  if (first !== version || !parsed.success)
    throw new UsageError(`cursor ${JSON.stringify(text.slice(0, 200))} is not one that a list of ${list} has returned`);
  return parsed.data;
}
