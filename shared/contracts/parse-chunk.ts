import { z } from 'zod';
import { type Chunk, chunkVersions } from './chunk.ts';
import { compressedChunkVersion } from './compressed-chunk.ts';
import { latestMinute, mostLedgerRecords, mostRealmChars } from './ledger-header.ts';

const newestVersion = Math.max(...chunkVersions, compressedChunkVersion);

const place = z.int().min(0).max(mostLedgerRecords);

const recordRun = z.tuple([
  z.string().max(mostRealmChars).nullable().describe('The realm; null: none. `*`: not told apart.'),
  z.int().min(0).max(latestMinute).describe('When they were recorded, in minutes since 1970.'),
  z.int().min(1).max(mostLedgerRecords).describe('How many records in a row.'),
]);

/** The envelope of a plain chunk as workers read it. Members that they do not know are ignored. */
export const chunkSchema = z.object({
  v: z
    .literal(chunkVersions)
    .describe('4 with `before` and `of`; without them 2 if a record has `traceId` or `spanId`, else 1.'),
  producer: z
    .string()
    .min(1)
    .max(200)
    .describe(
      'The process that made the records, unique among running producers. Write 1 to 100 of A-Z a-z 0-9 _ and -.',
    ),
  epoch: z.int().min(0).describe('When that producer started, in milliseconds since 1970.'),
  // Nothing here depends on it, so a value of another type does no harm.
  life: z
    .string()
    .optional()
    .catch(undefined)
    .describe('Random: distinguishes lives of a producer with the same name and epoch. Write letters and digits.'),
  seq: z.int().min(1).describe('1, 2, 3, … within one life, so that a gap is a lost chunk.'),
  // What the ledger is told decides about no record, so values that are none do no harm.
  before: z
    .int()
    .min(0)
    .optional()
    .catch(undefined)
    .describe('How many records the earlier chunks of this life have. For the ledger.'),
  of: z
    .array(recordRun)
    .min(1)
    .optional()
    .catch(undefined)
    .describe(
      'Whose the records are and when they were made, as run lengths in their order. A part of a chunk has those of the whole chunk. For the ledger.',
    ),
  from: place
    .optional()
    .catch(undefined)
    .describe(
      'Only in a part of a chunk: the place of its first record among those of the whole chunk, but for those erased; from 0. For the ledger.',
    ),
  erased: z
    .array(z.tuple([place.describe('The first place.'), place.describe('The place behind the last one.')]))
    .optional()
    .catch(undefined)
    .describe('Places in the whole chunk whose records an erasure has taken out. For the ledger.'),
  records: z.array(z.unknown()).min(1).describe('Records of one kind, in the order in which they were recorded.'),
});

export type ParsedChunk =
  | { kind: 'chunk'; chunk: Chunk }
  /** written by a newer producer: not wrong, but not readable here yet */
  | { kind: 'newer'; version: number }
  | { kind: 'malformed'; reason: string };

/** Parses the envelope of a plain chunk, but not the records inside. What is compressed has to be decompressed before. */
export function parseChunk(data: unknown): ParsedChunk {
  const version = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  if (typeof version === 'number' && Number.isInteger(version) && version > newestVersion)
    return { kind: 'newer', version };
  if (version === compressedChunkVersion)
    return { kind: 'malformed', reason: `v: ${version} is of compressed chunks, and this is not written as one` };
  const parsed = parseSafely(chunkSchema, data);
  return parsed.success ? { kind: 'chunk', chunk: parsed.data } : { kind: 'malformed', reason: parsed.reason };
}

/**
 * Parses with a schema; never throws. zod's own safeParse throws for a length that cannot be compared, as in
 * `{"length":{"toString":1,"valueOf":1}}` where a list is expected.
 */
export function parseSafely<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { success: true; data: T } | { success: false; reason: string } {
  try {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed : { success: false, reason: describeIssues(parsed.error) };
  } catch {
    return { success: false, reason: 'value: has a part that cannot be read' };
  }
}

/** `records[3].strategyId: Invalid input: expected string, received number`, for the first three problems of a parse. */
export function describeIssues(error: z.ZodError): string {
  const lines = error.issues.slice(0, 3).map((issue) => `${z.core.toDotPath(issue.path) || 'value'}: ${issue.message}`);
  const more = error.issues.length - lines.length;
  return more > 0 ? `${lines.join('; ')}; and ${more} more` : lines.join('; ');
}
