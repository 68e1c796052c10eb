import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from '../executions/buckets.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { keyOf, type RequestDimension } from './dimensions.ts';
import { cutIntoParts, type Part } from './parts-of-window.ts';
import { kindsOfTokens, readPriceFacts } from './price-facts.ts';
import { type RequestScope, requestsWithin } from './scope.ts';

/** How the requests of a scope are divided. */
export interface Division {
  buckets: Buckets | null;
  by: RequestDimension | null;
}

/** The requests of a scope, as a statement reads them. */
export interface RequestRows {
  /**
   * CTEs that the statement begins with. `parts` has a row for each part of the window, which is within one bucket and in which no price
   * changes, and `stretches` the same without buckets: the text of the bucket's beginning in ms since 1970, and the time at which
   * prices are looked for, as `created_at`.
   */
  ctes: Prisma.Sql;
  /**
   * Expressions for `of`. `kinds` tells requests apart that may differ in whether they have a price; `latency` and `first_token` are whole
   * ms since the start.
   */
  columns: Record<'bucket' | 'key' | 'part' | 'stretch' | 'kinds' | 'latency' | 'first_token', Prisma.Sql>;
  /**
   * What follows `from`: expressions over the columns of the table, by the names that they get, of the rows that meet a condition. Give
   * what is needed and no more, in the order of its first use: then PostgreSQL reads it without a step in between.
   */
  of(columns: Record<string, Prisma.Sql>, condition?: Prisma.Sql): Prisma.Sql;
}

/**
 * What figures need of requests, without the bodies, which make a row ten times as wide.
 *
 * Counts and times each read the index, which is faster than to keep the rows and to read them again. It is not where a filter has to
 * find them, or the endpoint is looked up for each of them: then they are read once and kept, as long as they fit into memory.
 */
export async function requestRows(
  snapshot: Snapshot,
  scope: RequestScope,
  { buckets, by }: Division,
): Promise<RequestRows> {
  const prices = await readPriceFacts(snapshot, scope.window);
  const parts = cutIntoParts(scope.window, buckets, prices.changesMs);
  const stretches = cutIntoParts(scope.window, null, prices.changesMs);
  const ctes = Prisma.sql`parts as (${listParts('part', parts)}), stretches as (${listParts('stretch', stretches)})`;
  const columns = {
    bucket: bucketOf(buckets),
    key: by === null ? Prisma.raw('null::text') : keyOf(by),
    part: partOf(scope, parts),
    stretch: partOf(scope, stretches),
    kinds: kindsOfTokens(prices),
    latency: msUntil('coalesce(completed_at, failed_at)'),
    first_token: msUntil('first_token_at'),
  };
  const isCostly = by === 'endpoint' || Object.values(scope.subject).some((wanted) => wanted !== undefined);
  if (!isCostly || (await estimateRows(snapshot, scope)) > mostKept) {
    return {
      ctes,
      columns,
      of: (of, condition) => Prisma.sql`(${select(scope, named(of), condition)}) as request_row`,
    };
  }
  const kept = select(scope, Prisma.sql`${Prisma.raw(plainColumns)}, ${named(columns)}`);
  return {
    ctes: Prisma.sql`${ctes}, kept as materialized (${kept})`,
    columns: {
      bucket: Prisma.raw('bucket'),
      key: Prisma.raw('key'),
      part: Prisma.raw('part'),
      stretch: Prisma.raw('stretch'),
      kinds: Prisma.raw('kinds'),
      latency: Prisma.raw('latency'),
      first_token: Prisma.raw('first_token'),
    },
    of: (of, condition = every) => Prisma.sql`(select ${named(of)} from kept where ${condition}) as request_row`,
  };
}

/** With so many, the narrow rows of a window fit into the memory that a statement has. */
const mostKept = 200_000;

/** By the planner, which counts none of them. */
async function estimateRows(snapshot: Snapshot, scope: RequestScope): Promise<number> {
  const [row] = await snapshot.$queryRaw<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>(
    Prisma.sql`explain (format json) select from ${requestsWithin(scope)}`,
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

const every = Prisma.raw('true');

/** By two indexes: one has all that figures need, and the other finds the few rows that would not fit into it. */
function select(scope: RequestScope, columns: Prisma.Sql, condition = every): Prisma.Sql {
  const found = Prisma.sql`select ${columns} from ${requestsWithin(scope)} and ${condition}`;
  return Prisma.sql`${found} and ${bytesOfNames} <= ${mostBytes} union all ${found} and ${bytesOfNames} > ${mostBytes}`;
}

/** As the two indexes have it, literally. */
const bytesOfNames = Prisma.raw(
  '(octet_length(model) + octet_length(created_by) + coalesce(octet_length(provider), 0) + coalesce(octet_length(api), 0))',
);
const mostBytes = Prisma.raw('1500');

/** Those that are needed as they are. */
const plainColumns = `created_by, provider, model, state, response_status, response_stream, input_tokens, cached_tokens, output_tokens,
  reasoning_tokens, first_token_at`;

function named(columns: Record<string, Prisma.Sql>): Prisma.Sql {
  return Prisma.join(
    Object.entries(columns).map(([name, expression]) => Prisma.sql`${expression} as ${Prisma.raw(name)}`),
  );
}

/** The beginning of a bucket of time. `date_bin` divides integers; `date_part` takes ten times as long. */
function bucketOf(buckets: Buckets | null): Prisma.Sql {
  if (buckets === null) return Prisma.raw('null::timestamptz');
  return Prisma.sql`date_bin(${`${buckets.bucketMs} ms`}::interval, created_at, ${new Date(buckets.firstMs)})`;
}

/** The number of the part that a request arrived in, from 1. `width_bucket` compares numbers faster than times. */
function partOf({ window: { since } }: RequestScope, parts: readonly Part[]): Prisma.Sql {
  if (parts.length === 1) return Prisma.raw('1');
  const seconds = parts.map(({ fromMs }) => (fromMs - since.getTime()) / 1000);
  return Prisma.sql`width_bucket(tstzrange_subdiff(created_at, ${since}), ${seconds}::float8[])`;
}

/** Whole ms since the start. `tstzrange_subdiff` is a difference in seconds; `date_part` of an interval takes more than twice as long. */
function msUntil(end: string): Prisma.Sql {
  return Prisma.raw(`round(tstzrange_subdiff(${end}, started_at) * 1000)`);
}

function listParts(name: string, parts: readonly Part[]): Prisma.Sql {
  const buckets = parts.map(({ bucketMs }) => (bucketMs === null ? '' : String(bucketMs)));
  const times = parts.map(({ pricedAtMs }) => new Date(pricedAtMs));
  return Prisma.sql`select number::int as ${Prisma.raw(name)}, bucket, created_at
    from unnest(${buckets}::text[], ${times}::timestamptz[]) with ordinality as listed (bucket, created_at, number)`;
}
