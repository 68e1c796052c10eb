import { z } from 'zod';
import { requestDimensions, requestOrders } from '../../../queries/requests/dimensions.ts';
import { requestStates, statusClasses } from '../../../queries/requests/list-requests.ts';
import { byName, count, percentiles, text, time, windowFields } from './common.ts';
import { requestFilterFields, requestSummary } from './requests.ts';

const top = count(50, 10).describe('the number of groups to list');

/** The query of the figures of requests. */
export const requestStatsQuery = z.strictObject({
  ...windowFields,
  ...requestFilterFields,
  by: z.enum(requestDimensions).optional().describe('what to group by; defaults to no groups'),
  sort: z.enum(requestOrders).default('requests').describe('which groups are listed first'),
  top,
  bucketSeconds: count(366 * 86_400)
    .optional()
    .describe('the bucket width of the series; at most 500 buckets. Chosen automatically by default'),
});

/** The query of a comparison: of two models within a window, or of a window with an earlier one. */
export const requestComparisonQuery = z.strictObject({
  a: text.optional().describe('a model; together with `b`'),
  b: text.optional().describe('another model'),
  ...windowFields,
  baseSince: windowFields.since.describe(
    'without models: the beginning of the window to compare with; defaults to the window of the same length right before',
  ),
  baseUntil: windowFields.until.describe('its end; defaults to the beginning of the window'),
  ...requestFilterFields,
});

const tokens = z
  .object({
    input: z.number().describe('all input tokens, those from a cache included'),
    cached: z.number().describe('of the input tokens those read from a cache'),
    output: z.number().describe('all output tokens, those of reasoning included'),
    reasoning: z.number().describe('of the output tokens those of reasoning'),
    inputRequests: z.number().describe('the requests that say how many went in'),
    outputRequests: z.number().describe('the requests that say how many came out'),
  })
  .meta({ id: 'RequestTokens' });

const money = z
  .object({
    currency: z.string().describe('ISO 4217'),
    amount: z.string().describe('an exact decimal number, such as 12.3456'),
    requests: z.number().describe('the requests that it is the cost of'),
  })
  .meta({ id: 'Money' });

const cost = z
  .object({
    amounts: z.array(money).describe('one for each currency; empty: nothing has a price'),
    withoutPrice: z.number().describe('requests whose tokens are known, but no price for them'),
    withoutTokens: z.number().describe('completed requests whose tokens are not known'),
  })
  .meta({ id: 'RequestCost' });

/** A share, with its interval. */
const share = z
  .object({
    value: z.number().nullable(),
    rows: z.number(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    tooFew: z.boolean(),
  })
  .meta({
    id: 'Share',
    description: 'With 95 % confidence, more requests of this kind would have a share from low to high',
  });

const countFields = {
  requests: z.number().describe('all that arrived, whatever became of them'),
  states: byName(requestStates, z.number()),
  statusClasses: byName([...statusClasses, 'none'], z.number()).describe('none: no response yet, or none at all'),
  tokens,
  cost,
};

const figureFields = {
  ...countFields,
  failureRate: share.describe('of the requests that have completed or failed'),
  streams: z.number().describe('responses that were streams'),
  latencyMs: z
    .object({ completed: percentiles, failed: percentiles })
    .describe('from the start to the end; completed requests apart from failed ones'),
  firstTokenMs: percentiles.describe('from the start to the first token, of completed requests whose sender tells'),
};

const shortPercentiles = z
  .object({
    p50: z.number().nullable(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
    rows: z.number(),
    tooFew: z.array(z.enum(['p50', 'p95', 'p99'])),
  })
  .meta({ id: 'ShortPercentiles' });

const bucket = z
  .object({
    since: time,
    until: time,
    ...countFields,
    latencyMs: shortPercentiles.describe('of completed requests'),
    firstTokenMs: shortPercentiles,
  })
  .meta({ id: 'RequestBucket' });

const group = z
  .object({
    key: z.string().nullable().describe('null: the requests that have none'),
    ...figureFields,
  })
  .meta({ id: 'RequestGroup' });

const span = z.object({ since: time, until: time });

export const requestStats = z
  .object({
    window: span,
    summary: z.object(figureFields).meta({ id: 'RequestFigures' }),
    series: z.object({ bucketMs: z.number(), buckets: z.array(bucket) }),
    lastFailures: z.array(requestSummary).describe('the ten newest failures'),
    groups: z
      .object({
        by: z.enum(requestDimensions),
        sort: z.enum(requestOrders),
        groups: z.array(group),
        others: z.object({ groups: z.number(), ...countFields }).describe('those that are not listed'),
      })
      .nullable()
      .describe('null: not asked for'),
  })
  .meta({ id: 'RequestStats' });

const side = z.object({ model: z.string().nullable(), window: span, ...figureFields }).meta({ id: 'ComparedRequests' });

export const requestComparison = z
  .object({
    a: side,
    b: side,
    delta: z
      .object({
        requests: z.number(),
        failureRate: z.number().nullable(),
        p50Ms: z.number().nullable(),
        p95Ms: z.number().nullable(),
        p99Ms: z.number().nullable(),
        firstTokenP50Ms: z.number().nullable(),
        firstTokenP95Ms: z.number().nullable(),
        inputTokensPerRequest: z.number().nullable(),
        outputTokensPerRequest: z.number().nullable(),
        costPerRequest: z
          .object({ currency: z.string(), amount: z.number() })
          .nullable()
          .describe('null unless both have costs in the same single currency'),
      })
      .describe('B minus A; latencies are those of completed requests'),
  })
  .meta({ id: 'RequestComparison' });
