import { z } from 'zod';
import { text } from './common.ts';

const windowOfUpstream = {
  since: z.string().max(60).optional().describe('ISO 8601 with an offset; defaults to the oldest row'),
  until: z.string().max(60).optional().describe('ISO 8601 with an offset; defaults to now'),
  window: z.string().max(10).optional().describe('1h, 24h, 7d, 30d or all, instead of `since`'),
  weighted: z
    .enum(['true', 'false'])
    .default('true')
    .describe('false: unweighted figures of the stored rows, as in the original'),
};

// The original ignores parameters that it does not know.
export const upstreamMetricsQuery = z.object(windowOfUpstream);
export const upstreamCompareQuery = z.object({ a: text, b: text, ...windowOfUpstream });

const bins = z.array(z.object({ label: z.string(), upperBound: z.number().nullable(), count: z.number() }));

export const upstreamMetrics = z
  .object({
    strategyId: z.string(),
    name: z.string(),
    version: z.int(),
    status: z.null(),
    windowFrom: z.string().nullable(),
    windowUntil: z.string().nullable(),
    statusBreakdown: z.object({
      ok: z.number(),
      error: z.number(),
      timeout: z.number(),
      limit: z.number(),
      other: z.number(),
      total: z.number(),
    }),
    successRate: z.number(),
    errorRate: z.number(),
    duration: z.object({
      avgMs: z.number(),
      p50Ms: z.number(),
      p95Ms: z.number(),
      p99Ms: z.number(),
      maxMs: z.number(),
      sampleSize: z.number(),
    }),
    durationHistogram: bins,
    topErrors: z.array(z.object({ code: z.string(), count: z.number() })),
    topCases: z.array(z.object({ caseName: z.string().nullable(), count: z.number() })),
    pointsHistogram: bins,
    pointsSum: z.number(),
    nodesAvg: z.number(),
    nodesMax: z.number(),
  })
  .meta({ id: 'UpstreamMetrics' });

export const upstreamComparison = z
  .object({
    a: upstreamMetrics,
    b: upstreamMetrics,
    delta: z.object({
      successRate: z.number(),
      errorRate: z.number(),
      p95Ms: z.number(),
      avgMs: z.number(),
      pointsAvg: z.number(),
    }),
  })
  .meta({ id: 'UpstreamComparison' });
