import { z } from 'zod';
import { executionStatuses } from '../../../shared/contracts/execution.ts';
import { byName, count, estimate, limit, percentiles, tally, tallyFields, text, time, windowFields } from './common.ts';
import { strategyName } from './names.ts';

export const strategiesQuery = z.strictObject({ ...windowFields, limit: limit(50) });

export const strategyList = z
  .object({
    window: z.object({ since: time, until: time }),
    strategies: z.array(
      z
        .object({
          strategyId: z.string(),
          strategyName,
          lastActivity: time,
          total: tally,
          failed: tally,
          failureRate: estimate,
        })
        .meta({ id: 'SeenStrategy' }),
    ),
  })
  .meta({ id: 'StrategyList' });

const top = count(50, 10).describe('the number of error codes, and of cases, to list by name');

export const strategyParams = z.object({ strategyId: text });
export const strategyQuery = z.strictObject({
  strategyId: text,
  ...windowFields,
  top,
  bucketSeconds: count(366 * 86_400)
    .optional()
    .describe('the bucket width of the series; at most 500 buckets. Chosen automatically by default'),
});
export const comparisonQuery = z.strictObject({ a: text, b: text, ...windowFields, top });

const meanFields = { mean: z.number().nullable(), margin: z.number().nullable(), tooFew: z.boolean() };

const statusFigures = z
  .object({
    ...tallyFields,
    durationMs: z.object({ ...meanFields, min: z.number().nullable(), max: z.number().nullable() }),
    rowsWithoutDuration: z.number(),
    nodes: z.object({ mean: z.number().nullable(), max: z.number().nullable(), tooFew: z.boolean() }),
  })
  .meta({ id: 'StatusFigures' });

const summary = z
  .object({
    statuses: byName(executionStatuses, statusFigures),
    total: tally,
    failed: tally,
    failureRate: estimate,
    points: z.object({
      ...tallyFields,
      sum: z.number(),
      ...meanFields,
      min: z.number().nullable(),
      max: z.number().nullable(),
    }),
  })
  .meta({ id: 'StatusSummary' });

const durationBins = z.array(
  z
    .object({ ...tallyFields, aboveMs: z.number().nullable(), upToMs: z.number().nullable() })
    .meta({ id: 'DurationBin' }),
);

const absent = z
  .object({
    records: z.number().describe('of the window and of any strategy that have no row: the sum of the following'),
    dropped: z.number(),
    refused: z.number(),
    dead: z.number(),
    notArrived: z.number().describe('in flight, or missing'),
    failureRate: z
      .object({ low: z.number(), high: z.number() })
      .nullable()
      .describe('if all of them were ok runs of this strategy, and if all were failures of it'),
  })
  .meta({ id: 'Absent', description: 'What of the window has no row, and how much that could change the figures' });

const figureFields = {
  strategyId: z.string(),
  strategyName,
  window: z.object({ since: time, until: time }),
  summary,
  errorCodes: z
    .object({ codes: z.array(z.object({ code: z.string(), ...tallyFields })), others: tally, withoutCode: tally })
    .meta({ id: 'ErrorCodes' }),
  cases: z
    .object({
      cases: z.array(z.object({ caseName: z.string(), ...tallyFields })),
      others: tally,
      unmatched: tally,
      failed: tally,
    })
    .meta({ id: 'Cases' }),
  durations: z.object({ ok: percentiles, failed: percentiles }),
  durationBins: z.object({ ok: durationBins, failed: durationBins }),
  pointsBins: z.array(z.object({ ...tallyFields, from: z.number(), below: z.number() }).meta({ id: 'PointsBin' })),
  absent: absent.nullable().describe('null: every record has its row, or the ledger did not tell'),
};

const seriesBucket = z
  .object({
    since: time,
    until: time,
    statuses: byName(executionStatuses, tally),
    p50: z.number().nullable(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
    durationRows: z.number(),
    tooFew: z.array(z.enum(['p50', 'p95', 'p99'])),
  })
  .meta({ id: 'SeriesBucket' });

export const strategyAnswer = z
  .object({ ...figureFields, series: z.object({ bucketMs: z.number(), buckets: z.array(seriesBucket) }) })
  .meta({ id: 'Strategy', description: 'Weighted: all figures are of runs, not of rows' });

const figures = z.object(figureFields).meta({ id: 'StrategyFigures' });
export const comparison = z
  .object({
    a: figures,
    b: figures,
    delta: z
      .object({
        failureRate: z.number().nullable(),
        meanMs: z.number().nullable(),
        p50Ms: z.number().nullable(),
        p95Ms: z.number().nullable(),
        p99Ms: z.number().nullable(),
        meanPoints: z.number().nullable(),
      })
      .describe('B minus A'),
  })
  .meta({ id: 'Comparison' });
