import { z } from 'zod';
import { traceIdPattern } from '../../../shared/contracts/span-context.ts';
import { problemSchema } from '../http/problem.ts';

/** A text to search for. Texts in PostgreSQL cannot contain NUL, so nothing has such a name. */
export const text = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^\0]*$/, 'must not contain NUL');

/** A positive integer in decimal digits; `1e2`, `0x10`, `1.0` and an empty text are refused. */
export const count = (max: number, fallback?: number) => {
  const whole = z.int().min(1).max(max);
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value),
    fallback === undefined ? whole : whole.default(fallback),
  );
};

/** A finite number in decimal digits, with or without an exponent; `0x10` and an empty text are refused. */
export const decimal = z.preprocess(
  (value) =>
    typeof value === 'string' && /^[+-]?(\d{1,20}(\.\d{1,20})?|\.\d{1,20})(e[+-]?\d{1,3})?$/i.test(value)
      ? Number(value)
      : value,
  z.number(),
);

/** The maximum number of entries to list. */
export const limit = (fallback: number) => count(200, fallback);

/** A trace to search for. */
export const traceId = z
  .string()
  .toLowerCase()
  .regex(traceIdPattern, 'must be 32 hexadecimal digits, not all 0')
  .describe('of OpenTelemetry: 32 hexadecimal digits');

/** The OpenTelemetry span that a record was made in. */
export const spanFields = {
  traceId: z.string().nullable().describe('of the OpenTelemetry span that it ran in'),
  spanId: z.string().nullable(),
};

/** As returned with the previous page. */
export const cursor = z.string().min(1).max(2_000);

/** A span of time. */
export const windowFields = {
  since: z
    .string()
    .max(60)
    .optional()
    .describe('ISO 8601 with an offset, or "all"; defaults to 24 hours before `until`'),
  until: z.string().max(60).optional().describe('ISO 8601 with an offset; defaults to now'),
  window: z.string().max(10).optional().describe('1h, 24h, 7d, 30d or all, instead of `since`'),
};

/** A point in time in an answer. */
export const time = z.date();

/** When a row was stored. */
export const storedAt = time
  .nullable()
  .describe('by the clock of the database; null for a row stored before this was recorded');

/** The stored rows behind a figure, and the runs that they stand for. */
export const tallyFields = { rows: z.number(), runs: z.number() };
export const tally = z
  .object(tallyFields)
  .meta({ id: 'Tally', description: 'Stored rows, and the runs they stand for' });

/** A value that is estimated from a sample. */
export const estimate = z
  .object({ value: z.number().nullable(), margin: z.number().nullable(), rows: z.number(), tooFew: z.boolean() })
  .meta({ id: 'Estimate', description: 'The value over all runs is value ± margin, with 95 % confidence' });

/** A percentile of durations, in ms. */
const percentile = z
  .object({
    value: z.number().nullable(),
    rows: z.number(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    tooFew: z.boolean(),
  })
  .meta({ id: 'Percentile' });
export const percentiles = z.object({ p50: percentile, p95: percentile, p99: percentile }).meta({ id: 'Percentiles' });

/** An object with the same schema under each name. */
export function byName<Name extends string, T extends z.ZodType>(names: readonly Name[], schema: T) {
  return z.object(Object.fromEntries(names.map((name) => [name, schema])) as Record<Name, T>);
}

/** The answer has no body. */
export const noContent = z.undefined().describe('Done');

const problem = problemSchema.meta({ id: 'Problem' });
const problemAnswer = { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } };

/** Any route may answer with one of these instead. */
export const problems = { '4xx': problemAnswer, '5xx': problemAnswer } as const;
