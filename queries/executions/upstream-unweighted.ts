import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from './snapshot.ts';
import { type Subject, subjectCondition } from './subject.ts';
import type { UnweightedWindow, UpstreamMetrics } from './upstream-figures.ts';
import { numpyPercentile, upstreamDurationBins, upstreamPointsBins } from './upstream-figures.ts';

type Figures = Omit<UpstreamMetrics, 'strategyId' | 'name' | 'version' | 'status'>;

interface UnweightedRow {
  statuses: { status: string; count: number }[];
  errors: { code: string; count: number }[];
  cases: { caseName: string | null; count: number }[];
  summary: [
    {
      avg: number | null;
      max: number | null;
      nodes_avg: number | null;
      nodes_max: number | null;
      points: number | null;
    },
  ];
  durations: number[];
  points: number[];
}

/** Of the newest rows. */
const sampleSize = 1_000;
const topRows = 10;

/** The original's figures, with its mistakes, in one statement. Only NaN and infinities are left out: the original fails on them. */
export async function readUnweighted(snapshot: Snapshot, subject: Subject, window: UnweightedWindow): Promise<Figures> {
  const { since, until } = window;
  const conditions = [subjectCondition(subject)];
  if (since !== null) conditions.push(Prisma.sql`recorded_at >= ${since}`);
  if (until !== null) conditions.push(Prisma.sql`recorded_at <= ${until}`);
  const runs = Prisma.sql`sluice.strategy_execution_log where ${Prisma.join(conditions, ' and ')}`;
  const list = (query: Prisma.Sql, name: string): Prisma.Sql =>
    Prisma.sql`(select coalesce(json_agg(part), '[]') from (${query}) as part) as ${Prisma.raw(name)}`;
  const newest = (column: string): Prisma.Sql => {
    const usable = Prisma.raw(`abs(${column}) < 1e15`);
    return Prisma.sql`(select coalesce(json_agg(value), '[]') from (
      select ${Prisma.raw(column)} as value from ${runs} and ${usable} order by recorded_at desc limit ${sampleSize}) as newest)`;
  };
  const [row] = await snapshot.$queryRaw<UnweightedRow[]>`select
    ${list(Prisma.sql`select status, count(*) as count from ${runs} group by status`, 'statuses')},
    ${list(Prisma.sql`select error_code as code, count(*) as count from ${runs} and error_code is not null group by 1 order by 2 desc, 1 limit ${topRows}`, 'errors')},
    ${list(Prisma.sql`select case_name as "caseName", count(*) as count from ${runs} group by 1 order by 2 desc, 1 limit ${topRows}`, 'cases')},
    ${list(
      Prisma.sql`select avg(duration_ms) filter (where abs(duration_ms) < 1e15) as avg,
        max(duration_ms) filter (where abs(duration_ms) < 1e15) as max,
        avg(nodes_executed)::float8 as nodes_avg, max(nodes_executed) as nodes_max,
        sum(points) filter (where abs(points) < 1e15) as points from ${runs}`,
      'summary',
    )},
    ${newest('duration_ms')} as durations, ${newest('points')} as points`;
  if (row === undefined) throw new TypeError('a select without from has one row');
  return toFigures(row, window);
}

function toFigures(
  { statuses, errors, cases, summary, durations, points }: UnweightedRow,
  window: UnweightedWindow,
): Figures {
  const [{ avg, max, nodes_avg, nodes_max, points: pointsSum }] = summary;
  const breakdown = toStatusBreakdown(statuses);
  const { ok, error, timeout, limit, total } = breakdown;
  return {
    windowFrom: window.since?.toISOString() ?? null,
    windowUntil: window.until?.toISOString() ?? null,
    statusBreakdown: breakdown,
    successRate: total === 0 ? 0 : ok / total,
    errorRate: total === 0 ? 0 : (error + timeout + limit) / total,
    duration: {
      avgMs: avg ?? 0,
      p50Ms: numpyPercentile(durations, 0.5),
      p95Ms: numpyPercentile(durations, 0.95),
      p99Ms: numpyPercentile(durations, 0.99),
      maxMs: max ?? 0,
      sampleSize: durations.length,
    },
    durationHistogram: upstreamDurationBins(durations),
    topErrors: errors,
    topCases: cases,
    pointsHistogram: upstreamPointsBins(points),
    pointsSum: pointsSum ?? 0,
    nodesAvg: nodes_avg ?? 0,
    nodesMax: nodes_max ?? 0,
  };
}

/** Statuses that the original does not know count as `other`, and in the total. */
export function toStatusBreakdown(
  statuses: readonly { status: string; count: number }[],
): UpstreamMetrics['statusBreakdown'] {
  const breakdown = { ok: 0, error: 0, timeout: 0, limit: 0, other: 0, total: 0 };
  for (const { status, count } of statuses) {
    const name = status === 'ok' || status === 'error' || status === 'timeout' || status === 'limit' ? status : 'other';
    breakdown[name] += count;
    breakdown.total += count;
  }
  return breakdown;
}
