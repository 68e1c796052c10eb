import { z } from 'zod';
import { traceIdPattern } from '../../../shared/contracts/span-context.ts';
import { problemSchema } from '../http/problem.ts';

/** A text to look for. PostgreSQL has no NUL in texts, so nothing is named by one. */
export const text = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^\0]*$/, 'must not have a NUL in it');

/** A whole number from 1 on, in decimal digits: `1e2`, `0x10`, `1.0` and an empty text are none. */
export const count = (max: number, fallback?: number) => {
  const whole = z.int().min(1).max(max);
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value),
    fallback === undefined ? whole : whole.default(fallback),
  );
};

/** A finite number in decimal digits, with an exponent or without: `0x10` and an empty text are none. */
export const decimal = z.preprocess(
  (value) =>
    typeof value === 'string' && /^[+-]?(\d{1,20}(\.\d{1,20})?|\.\d{1,20})(e[+-]?\d{1,3})?$/i.test(value)
      ? Number(value)
      : value,
  z.number(),
);

/** How many to list at most. */
export const limit = (fallback: number) => count(200, fallback);

/** A trace to look for. */
export const traceId = z
  .string()
  .toLowerCase()
  .regex(traceIdPattern, 'must be 32 hexadecimal digits, not all 0')
  .describe('of OpenTelemetry: 32 hexadecimal digits');

/** The span of OpenTelemetry that a record was made in. */
export const spanFields = {
  traceId: z.string().nullable().describe('of the span of OpenTelemetry that it ran in'),
  spanId: z.string().nullable(),
};

/** As the page before returned it. */
export const cursor = z.string().min(1).max(2_000);

/** A span of time. */
export const windowFields = {
  since: z
    .string()
    .max(60)
    .optional()
    .describe('ISO 8601 with an offset, or "all"; 24 hours before `until` when left out'),
  until: z.string().max(60).optional().describe('ISO 8601 with an offset; now when left out'),
  window: z.string().max(10).optional().describe('1h, 24h, 7d, 30d or all, in place of `since`'),
};

/** A point in time of an answer. */
export const time = z.date();

/** When a row was stored. */
export const storedAt = time
  .nullable()
  .describe('by the clock of the database; null for a row from before it was noted');

/** The stored rows behind a figure, and the runs that they stand for. */
export const tallyFields = { rows: z.number(), runs: z.number() };
export const tally = z
  .object(tallyFields)
  .meta({ id: 'Tally', description: 'Stored rows, and the runs they stand for' });

/** A figure that is estimated from a sample. */
export const estimate = z
  .object({ value: z.number().nullable(), margin: z.number().nullable(), rows: z.number(), tooFew: z.boolean() })
  .meta({ id: 'Estimate', description: 'The figure of all runs is value ± margin, with 95 % confidence' });

/** Nothing is sent back. */
export const noContent = z.undefined().describe('Done');

const problem = problemSchema.meta({ id: 'Problem' });
const problemAnswer = { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } };

/** What every route may answer in place of what was asked for. */
export const problems = { '4xx': problemAnswer, '5xx': problemAnswer } as const;
