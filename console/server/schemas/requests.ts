import { z } from 'zod';
import { requestStates, statusClasses } from '../../../queries/requests/list-requests.ts';
import { bodyEncodings, serviceTiers } from '../../../shared/contracts/completed-request.ts';
import { cursor, limit, spanFields, storedAt, text, time, traceId } from './common.ts';
import { creatorName } from './names.ts';

const instant = z.iso
  .datetime({ offset: true })
  .refine((value) => Date.parse(value) >= 0, { message: 'must be a time after 1970' });

export const requestsQuery = z
  .strictObject({
    createdBy: text.optional(),
    model: text.optional(),
    statusClass: z.enum(statusClasses).optional(),
    serviceTier: z.enum(serviceTiers).optional(),
    state: z.enum(requestStates).optional(),
    traceId: traceId.optional(),
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

export const requestPage = z
  .object({
    requests: z.array(
      z
        .object({
          ...common,
          responseStatus: z.int().nullable(),
          responseBytes: z.number(),
          isStream: z.boolean(),
          isIncomplete: z.boolean(),
          durationMs: z.number().nullable(),
        })
        .meta({ id: 'RequestSummary' }),
    ),
    cursor: z.string().nullable(),
  })
  .meta({ id: 'RequestPage' });

const bodyFields = {
  body: z.string(),
  encoding: z.enum(bodyEncodings),
  bytes: z.number().describe('before truncation'),
  isCut: z.boolean(),
};

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
  })
  .meta({ id: 'CompletedRequest' });
