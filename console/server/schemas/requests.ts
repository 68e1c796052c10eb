import { z } from 'zod';
import { requestStates, statusClasses } from '../../../queries/requests/list-requests.ts';
import { bodyEncodings, serviceTiers } from '../../../shared/contracts/completed-request.ts';
import { count, cursor, limit, spanFields, storedAt, text, time, traceId } from './common.ts';
import { creatorName } from './names.ts';

const instant = z.iso
  .datetime({ offset: true })
  .refine((value) => Date.parse(value) >= 0, { message: 'must be a time after 1970' });

/** Which requests; shared by the list and the figures. */
export const requestFilterFields = {
  createdBy: text.optional(),
  model: text.optional(),
  endpoint: z
    .string()
    .min(1)
    .max(2_048)
    .regex(/^[^\0]*$/, 'must not contain NUL')
    .optional(),
  provider: text.optional(),
  api: text.optional().describe('the shape of the bodies, such as openai-chat'),
  statusClass: z.enum(statusClasses).optional(),
  serviceTier: z.enum(serviceTiers).optional(),
};

export const requestsQuery = z
  .strictObject({
    ...requestFilterFields,
    state: z.enum(requestStates).optional(),
    traceId: traceId.optional(),
    text: text
      .optional()
      .describe(
        'only requests whose bodies contain this text, newest first. Each answer looks through a limited number of requests and bytes; its cursor goes on',
      ),
    from: instant.optional().describe('arrived at or after this time'),
    until: instant.optional().describe('arrived before this time'),
    limit: limit(50),
    cursor: cursor.optional(),
  })
  .refine(({ from, until }) => from === undefined || until === undefined || Date.parse(from) < Date.parse(until), {
    path: ['from'],
    message: 'must be before until',
  });

export const requestParams = z.object({ id: z.guid() });

export const requestQuery = z.strictObject({
  maxBodyChars: count(256 * 1_048_576)
    .optional()
    .describe('the longest text of a body in the answer; what is left out can be had as a file'),
});

/** The bytes of a body. */
export const bodyFile = { description: 'The bytes', content: { 'application/octet-stream': { schema: z.unknown() } } };

export const bodyParams = z.object({ id: z.guid(), body: z.enum(['request', 'response']) });

const common = {
  id: z.string(),
  state: z.enum(requestStates),
  model: z.string(),
  serviceTier: z.enum(serviceTiers),
  createdBy: z.string(),
  creatorName,
  createdAt: time,
  startedAt: time.nullable(),
  completedAt: time.nullable(),
  failedAt: time.nullable(),
  notes: z.string().nullable(),
  ...spanFields,
};

export const requestSummary = z
  .object({
    ...common,
    responseStatus: z.int().nullable(),
    responseBytes: z.number(),
    isStream: z.boolean(),
    isIncomplete: z.boolean(),
    durationMs: z.number().nullable(),
  })
  .meta({ id: 'RequestSummary' });

export const requestPage = z
  .object({
    requests: z.array(requestSummary),
    cursor: z.string().nullable().describe('for the next page; null on the last page'),
    searched: z
      .object({
        requests: z.number(),
        bytes: z.number().describe('of their stored bodies'),
        since: time.nullable().describe('when the oldest of them arrived; null: there was none'),
      })
      .optional()
      .describe('with `text`: what this answer has looked through. The page may be short, or empty, and not the last'),
  })
  .meta({ id: 'RequestPage' });

const bodyFields = {
  body: z.string(),
  encoding: z.enum(bodyEncodings),
  bytes: z.number().describe('before truncation'),
  isCut: z.boolean().describe('only the beginning is stored'),
  leftOutChars: z.number().describe('characters of what is stored that are not in this answer'),
};

const facts = z
  .object({
    provider: z.string().nullable(),
    api: z.string().nullable().describe('the shape of the bodies, such as openai-chat'),
    inputTokens: z.number().nullable().describe('all input tokens, those from a cache included'),
    cachedTokens: z.number().nullable().describe('of the input tokens those read from a cache'),
    outputTokens: z.number().nullable().describe('all output tokens, those of reasoning included'),
    reasoningTokens: z.number().nullable().describe('of the output tokens those of reasoning'),
    finishReason: z.string().nullable(),
    toolCalls: z.number().nullable().describe('calls of tools that the response asks for'),
    firstTokenAt: time.nullable().describe('by the clock of the sender'),
    cost: z
      .object({
        currency: z.string().describe('ISO 4217'),
        amount: z.string().describe('an exact decimal number, such as 0.00125'),
      })
      .nullable()
      .describe('by the prices of its time; null: its tokens are not known, or have no price'),
  })
  .meta({ id: 'RequestFacts', description: 'What the bodies say; null is what they do not say' });

export const request = z
  .object({
    ...common,
    canceledAt: time.nullable(),
    storedAt,
    method: z.string(),
    path: z.string(),
    apiKeyHash: z.string().nullable(),
    request: z.object(bodyFields),
    response: z
      .object({ ...bodyFields, status: z.int().nullable(), isStream: z.boolean(), isIncomplete: z.boolean() })
      .nullable(),
    error: z.string().nullable(),
    facts,
  })
  .meta({ id: 'CompletedRequest' });
