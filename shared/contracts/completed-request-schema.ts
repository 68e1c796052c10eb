import { z } from 'zod';
import { bodyEncodings, requestLimits, serviceTiers } from './completed-request.ts';
import { parseSafely } from './parse-chunk.ts';
import { findImplausibility } from './plausible-time.ts';
import { spanContextFields } from './span-context-schema.ts';

const identifier = z.string().max(requestLimits.identifierChars);
// A pattern and no function, so that the published JSON Schema has it.
const notBlank = identifier.regex(/\S/, 'must not be blank');
const bytes = z.int().min(0);

const common = {
  requestId: z.uuid().describe('Identifies the request. The same one in the beginning and in the end.'),
  createdBy: notBlank.describe('The person or organisation that the request belongs to; an erasure goes by it.'),
  model: identifier.describe('The model that was asked; `unknown` if nobody knows.'),
  endpoint: z
    .string()
    .max(requestLimits.endpointChars)
    .describe('The path of the API, such as /v1/responses; empty if nobody knows.'),
  serviceTier: z.enum(serviceTiers).describe('The tier of the API that served it; `priority` if there is none.'),
  startedAt: z.iso
    .datetime()
    .describe(
      'When the request arrived, ISO 8601 in UTC with a Z. A time before 2000 or more than a day ahead is stored with a note.',
    ),
  requestBody: z.string().describe('What the caller sent, or its beginning, in `requestEncoding`.'),
  requestEncoding: z
    .enum(bodyEncodings)
    .describe('`utf8`: the body is text. `base64`: its bytes are not text that PostgreSQL can store.'),
  requestBytes: bytes.describe('The size of the whole request body in bytes, before anything was cut.'),
  requestCut: z.boolean().describe('True: only the beginning of the request body is here.'),
  apiKeyHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'accepted: 64 hexadecimal digits')
    .nullish()
    .describe("A keyed hash of the caller's API key, never the key itself: 64 hexadecimal digits in lower case."),
  notes: z
    .string()
    .max(requestLimits.notesChars)
    .nullish()
    .describe('What the producer changed to make the record storable.'),
  ...spanContextFields,
  provider: identifier
    .nullish()
    .describe(
      'Who serves the model, such as `openai` or `azure.ai.openai`; by default what the bodies say beyond doubt.',
    ),
};

/**
 * A request as it travels in a chunk. Times are ISO 8601 in UTC, sizes are bytes of UTF-8 before truncation.
 * Fields without a value are left out.
 */
export const requestRecordSchema = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('begun').describe('The request still runs.'), ...common }),
  z.strictObject({
    phase: z.literal('completed').describe('The request has ended.'),
    ...common,
    statusCode: z
      .int()
      .min(100)
      .max(599)
      .describe('The status of HTTP. 2xx ends the request as completed, any other as failed.'),
    completedAt: z.iso.datetime().describe('When the request ended, ISO 8601 in UTC with a Z; not before `startedAt`.'),
    responseBody: z.string().describe('What the caller received, or its beginning, in `responseEncoding`.'),
    responseEncoding: z.enum(bodyEncodings).describe('As `requestEncoding`, of the response body.'),
    responseBytes: bytes.describe('The size of the whole response body in bytes, before anything was cut.'),
    responseCut: z.boolean().describe('True: only the beginning of the response body is here.'),
    isStream: z.boolean().describe('True: the response body is a stream of server-sent events as they were sent.'),
    isIncomplete: z.boolean().describe('True: the caller disconnected, or the stream was interrupted, before the end.'),
    firstTokenAt: z.iso
      .datetime()
      .nullish()
      .describe('When the first token of the answer arrived, ISO 8601 in UTC with a Z; not before `startedAt`.'),
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
  const { completedAt, firstTokenAt } = record;
  const end = findImplausibility(completedAt, latest);
  if (end !== null) return `completedAt: ${end}`;
  if (Date.parse(completedAt) < Date.parse(startedAt)) return `completedAt: ${completedAt} is before startedAt`;
  if (firstTokenAt == null) return null;
  const first = findImplausibility(firstTokenAt, latest);
  if (first !== null) return `firstTokenAt: ${first}`;
  return Date.parse(firstTokenAt) < Date.parse(startedAt) ? `firstTokenAt: ${firstTokenAt} is before startedAt` : null;
}
