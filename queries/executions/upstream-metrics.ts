import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { inSnapshot, type Snapshot } from './snapshot.ts';
import { readFiguresWithin, type StrategyFigures } from './strategy.ts';
import { type Subject, subjectCondition } from './subject.ts';
import type { UnweightedWindow, UpstreamMetrics } from './upstream-figures.ts';
import { labelDurationBins, labelPointsBins } from './upstream-figures.ts';
import { readUnweighted } from './upstream-unweighted.ts';
import type { WindowRequest } from './window.ts';

/** The answer of the original's compare endpoint. */
export interface UpstreamComparison {
  a: UpstreamMetrics;
  b: UpstreamMetrics;
  /** B minus A */
  delta: Record<'successRate' | 'errorRate' | 'p95Ms' | 'avgMs' | 'pointsAvg', number>;
}

/** The question. `until: null` means up to the newest row, and is only for unweighted answers. */
export interface UpstreamQuestion {
  window: WindowRequest | UnweightedWindow;
  /** the only realm whose runs count. @default all */
  realmId?: string | null;
  /** of one statement. @default the database's own timeout */
  timeoutMs?: number;
}

/** The metrics, and what the comparison needs in addition. */
interface Measured {
  metrics: UpstreamMetrics;
  pointsAvg: number;
}

/**
 * What the original's endpoint answers. For a plain window, the figures refer to runs, not rows: weighted, over the whole
 * window, durations and points of ok runs, cases without failures; counts are rounded. For an unweighted window, they are the
 * original's own: the stored rows, with percentiles and histograms of the newest 1,000.
 *
 * @returns null if no row of the strategy is stored
 * @throws UsageError if the window is empty
 */
export async function readUpstreamMetrics(
  database: Database,
  question: UpstreamQuestion & { strategyId: string },
): Promise<UpstreamMetrics | null> {
  const measured = await inSnapshot(
    database,
    (snapshot) => measure(snapshot, question, question.window),
    question.timeoutMs,
  );
  return measured?.metrics ?? null;
}

/** Both from one snapshot. @returns null if one of the two has no rows @throws as readUpstreamMetrics */
export function compareUpstreamMetrics(
  database: Database,
  question: UpstreamQuestion & { a: string; b: string },
): Promise<UpstreamComparison | null> {
  return inSnapshot(
    database,
    async (snapshot) => {
      const a = await measure(snapshot, { ...question, strategyId: question.a }, question.window);
      const b = await measure(snapshot, { ...question, strategyId: question.b }, question.window);
      return a === null || b === null ? null : toUpstreamComparison(a, b);
    },
    question.timeoutMs,
  );
}

/** In which time a strategy has most likely run last, so that finding out does not lock all partitions. */
const recentMs = 8 * 24 * 3_600_000;

/** The version that ran last; null if none ran within so many ms. */
async function readVersion(snapshot: Snapshot, subject: Subject, withinMs: number | null): Promise<number | null> {
  const since = withinMs === null ? Prisma.empty : Prisma.sql` and recorded_at >= ${new Date(Date.now() - withinMs)}`;
  const [newest] = await snapshot.$queryRaw<{ version: number }[]>`
    select strategy_version as version from sluice.strategy_execution_log
    where ${subjectCondition(subject)}${since} order by recorded_at desc limit 1`;
  return newest?.version ?? null;
}

async function measure(
  snapshot: Snapshot,
  { strategyId, realmId = null }: Subject,
  window: UpstreamQuestion['window'],
): Promise<Measured | null> {
  const subject = { strategyId, realmId };
  const version = (await readVersion(snapshot, subject, recentMs)) ?? (await readVersion(snapshot, subject, null));
  if (version === null) return null;
  const identity = { strategyId, name: strategyId, version, status: null };
  if ('weighted' in window) {
    const metrics = { ...identity, ...(await readUnweighted(snapshot, subject, window)) };
    return { metrics, pointsAvg: quotient(metrics.pointsSum, metrics.statusBreakdown.total) };
  }
  const figures = await readFiguresWithin(snapshot, { ...subject, window });
  return { metrics: { ...identity, ...toUpstream(figures) }, pointsAvg: figures.summary.points.mean ?? 0 };
}

/** The weighted figures, with the original's names. */
export function toUpstream(
  figures: StrategyFigures,
): Omit<UpstreamMetrics, 'strategyId' | 'name' | 'version' | 'status'> {
  const { window, summary, errorCodes, cases, durations, durationBins, pointsBins } = figures;
  const { ok, error, timeout, limit, cancelled } = summary.statuses;
  const unmatched = cases.unmatched.rows > 0 ? [{ caseName: null, runs: cases.unmatched.runs }] : [];
  const topCases = [...cases.cases, ...unmatched].toSorted((a, b) => b.runs - a.runs).slice(0, 10);
  const [first] = pointsBins;
  const range = first === undefined ? null : { min: first.from, max: pointsBins.at(-1)?.below ?? first.below };
  const nodesMax = Math.max(0, ...Object.values(summary.statuses).map(({ nodes }) => nodes.max ?? 0));
  const nodesSum = Object.values(summary.statuses).reduce((sum, { nodes, runs }) => sum + (nodes.mean ?? 0) * runs, 0);
  return {
    windowFrom: window.since.toISOString(),
    windowUntil: window.until.toISOString(),
    statusBreakdown: {
      ok: Math.round(ok.runs),
      error: Math.round(error.runs),
      timeout: Math.round(timeout.runs),
      limit: Math.round(limit.runs),
      other: Math.round(cancelled.runs),
      total: Math.round(summary.total.runs),
    },
    successRate: quotient(ok.runs, summary.total.runs),
    errorRate: quotient(summary.failed.runs, summary.total.runs),
    duration: {
      avgMs: ok.durationMs.mean ?? 0,
      p50Ms: durations.ok.p50.value ?? 0,
      p95Ms: durations.ok.p95.value ?? 0,
      p99Ms: durations.ok.p99.value ?? 0,
      maxMs: ok.durationMs.max ?? 0,
      sampleSize: ok.rows - ok.rowsWithoutDuration,
    },
    durationHistogram: labelDurationBins(durationBins.ok.map(({ runs }) => Math.round(runs))),
    topErrors: errorCodes.codes.map(({ code, runs }) => ({ code, count: Math.round(runs) })),
    topCases: topCases.map(({ caseName, runs }) => ({ caseName, count: Math.round(runs) })),
    pointsHistogram: labelPointsBins(
      range,
      pointsBins.map(({ runs }) => Math.round(runs)),
    ),
    pointsSum: summary.points.sum,
    nodesAvg: quotient(nodesSum, summary.total.runs),
    nodesMax,
  };
}

/** The change from A to B. */
export function toUpstreamComparison(a: Measured, b: Measured): UpstreamComparison {
  return {
    a: a.metrics,
    b: b.metrics,
    delta: {
      successRate: b.metrics.successRate - a.metrics.successRate,
      errorRate: b.metrics.errorRate - a.metrics.errorRate,
      p95Ms: b.metrics.duration.p95Ms - a.metrics.duration.p95Ms,
      avgMs: b.metrics.duration.avgMs - a.metrics.duration.avgMs,
      pointsAvg: b.pointsAvg - a.pointsAvg,
    },
  };
}

function quotient(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}
