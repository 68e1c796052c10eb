import { z } from 'zod';
import { longestId, longestName, nameKinds } from '../../../names/display-name.ts';
import { cursor, limit, time } from './common.ts';

const kind = z.enum(nameKinds);

export const namesQuery = z.strictObject({ kind: kind.optional(), limit: limit(50), cursor: cursor.optional() });

export const namePage = z
  .object({
    names: z.array(z.object({ kind, id: z.string(), name: z.string(), updatedAt: time }).meta({ id: 'DisplayName' })),
    cursor: z.string().nullable().describe('for the next page; null on the last page'),
  })
  .meta({ id: 'NamePage' });

/** An entry has room for the longest id and name; why one is refused is said in words. */
const name = z.strictObject({
  kind,
  id: z
    .string()
    .max(2 * longestId)
    .describe(`as records carry it; at most ${longestId} characters`),
  name: z
    .string()
    .max(20_000)
    .nullable()
    .describe(
      `at most ${longestName} characters, without control characters and ends of lines; null takes the name away`,
    ),
});

export const namesBody = z.strictObject({ names: z.array(name).min(1).max(200) });

export const writtenNames = z
  .object({
    added: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    removed: z.int(),
    erased: z.int().describe('left out, because the creator was erased'),
  })
  .meta({ id: 'WrittenNames' });

/** What a strategy is called, in an answer. */
export const strategyName = z.string().nullable().describe('what people call the strategy');
/** What a creator is called, in an answer. */
export const creatorName = z.string().nullable().describe('what people call the creator');
