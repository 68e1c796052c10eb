import { z } from 'zod';
import { bodyEncodings, requestLimits, serviceTiers } from './completed-request.ts';
import { parseSafely } from './parse-chunk.ts';
import { findImplausibility } from './plausible-time.ts';
import { spanContextFields } from './span-context-schema.ts';

const identifier = z.string().max(requestLimits.identifierChars);
const notBlank = identifier.refine((text) => text.trim() !== '', 'must not be blank');
const bytes = z.int().min(0);

const common = {
  requestId: z.uuid(),
  /** the person or organisation that the request belongs to */
  createdBy: notBlank,
  model: identifier,
  /** the path of the API, such as /v1/responses */
  endpoint: z.string().max(requestLimits.endpointChars),
  serviceTier: z.enum(serviceTiers),
  startedAt: z.iso.datetime(),
  requestBody: z.string(),
  requestEncoding: z.enum(bodyEncodings),
  /** the size of the body before truncation */
  requestBytes: bytes,
  /** true: only the beginning is here */
  requestCut: z.boolean(),
  /** a keyed hash of the caller's API key, never the key itself: 64 hexadecimal digits */
  apiKeyHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'accepted: 64 hexadecimal digits')
    .nullish(),
  notes: z.string().max(requestLimits.notesChars).nullish(),
  ...spanContextFields,
};

/**
 * A request as it travels in a chunk. Times are ISO 8601 in UTC, sizes are bytes of UTF-8 before truncation.
 * Fields without a value are left out.
 */
export const requestRecordSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('begun'), ...common }),
  z.strictObject({
    phase: z.literal('completed'),
    ...common,
    /** of HTTP; 2xx ends the request as completed, any other as failed */
    statusCode: z.int().min(100).max(599),
    completedAt: z.iso.datetime(),
    responseBody: z.string(),
    responseEncoding: z.enum(bodyEncodings),
    responseBytes: bytes,
    responseCut: z.boolean(),
    /** the body is a stream of server-sent events, as they arrived */
    isStream: z.boolean(),
    /** the caller disconnected, or the stream was interrupted, before the end */
    isIncomplete: z.boolean(),
  }),
]);

export type RequestRecord = z.infer<typeof requestRecordSchema>;

/** What is wrong with a record, by field; null if nothing is. */
export function findRequestProblem(record: unknown): string | null {
  const parsed = parseSafely(requestRecordSchema, record);
  return parsed.success ? null : parsed.reason;
}

/**
 * What is impossible about a record's times, as its notes say it; null if nothing is.
 *
 * @param latest see latestPlausible
 */
export function findRequestOddity(record: RequestRecord, latest: string): string | null {
  const { startedAt } = record;
  const start = findImplausibility(startedAt, latest);
  if (start !== null) return `startedAt: ${start}`;
  if (record.phase === 'begun') return null;
  const { completedAt } = record;
  const end = findImplausibility(completedAt, latest);
  if (end !== null) return `completedAt: ${end}`;
  return Date.parse(completedAt) < Date.parse(startedAt) ? `completedAt: ${completedAt} is before startedAt` : null;
}
