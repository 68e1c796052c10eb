import { z } from 'zod';

/** Why the gateway does not take a body, and the status that says so. The names are those of `error.code` in the answer. */
export const refusalStatuses = {
  'invalid-json': 400,
  'invalid-encoding': 400,
  'invalid-request': 400,
  'all-rejected': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'request-timeout': 408,
  'too-large': 413,
  'unsupported-media-type': 415,
  'unsupported-encoding': 415,
  'quota-exceeded': 429,
  'buffer-full': 503,
  'redis-away': 503,
  'shutting-down': 503,
} as const;
export type RefusalCode = keyof typeof refusalStatuses;

/** What the gateway answers with when it has met an error of its own. */
export const internalErrorCode = 'internal';

const count = z.int().min(0);

const rejections = {
  rejected: z
    .array(
      z.strictObject({
        index: count.describe('Which record of the body, from 0.'),
        id: z.string().optional().describe('The id that the record names, if it names one.'),
        field: z.string().describe('The field at fault, with its path; `record` for all of it.'),
        reason: z.string().describe('What is wrong with it, for people.'),
      }),
    )
    .max(100)
    .describe('The records that are not accepted, at most the first 100.'),
  rejectedMore: count.min(1).optional().describe('How many more records are not accepted.'),
};

/** The answer when records are in Redis. */
export const outcomeSchema = z.strictObject({
  accepted: count.describe('Records that are in Redis now, repetitions among them: those are stored once.'),
  sampledOut: count.optional().describe('Records that the sample rate of the gateway left out (`?sample=true`).'),
  duplicates: count.optional().describe('Records that the gateway has left out as repetitions.'),
  ...rejections,
});

/** The answer when a body is not taken. */
export const refusalSchema = z.strictObject({
  error: z
    .strictObject({
      code: z
        .enum([...(Object.keys(refusalStatuses) as [RefusalCode, ...RefusalCode[]]), internalErrorCode])
        .describe('Why, for programs.'),
      message: z.string().describe('Why and what to do, for people.'),
    })
    .describe('Why nothing of the body is promised to be stored.'),
  rejected: rejections.rejected.optional().describe('The records that are not accepted, at most the first 100.'),
  rejectedMore: rejections.rejectedMore,
});
