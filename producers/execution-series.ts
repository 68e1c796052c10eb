import type { Observation } from './metrics.ts';

/** Durations of the runs that ended alike. */
export interface DurationSeries {
  /** runs by bucket, not cumulated; one more than there are edges, for those beyond the last */
  buckets: number[];
  sumSeconds: number;
  count: number;
}

/** What is counted for one realm and strategy type. */
export interface ExecutionSeries {
  realm: string;
  strategyType: string;
  nodes: number;
  dropped: number;
  durations: Map<string, DurationSeries>;
  errors: Map<string, number>;
}

/** Absent and empty label values are `unknown`, and so is what cannot be written as text. */
export function toLabel(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'unknown' : value;
  if (value === null || value === undefined) return 'unknown';
  try {
    return String(value) || 'unknown';
  } catch {
    return 'unknown';
  }
}

/**
 * Counts executions in plain numbers, to be read when the metrics are scraped. prom-client sorts and joins the labels at
 * each observation, which would be most of what record() costs for a run that is sampled out.
 *
 * @param edgesSeconds upper edges of the duration buckets, ascending
 */
export function createExecutionSeries(edgesSeconds: readonly number[]) {
  const byRealm = new Map<string, Map<string, ExecutionSeries>>();

  const find = (realm: string, strategyType: string): ExecutionSeries => {
    let byType = byRealm.get(realm);
    if (byType === undefined) {
      byType = new Map();
      byRealm.set(realm, byType);
    }
    let series = byType.get(strategyType);
    if (series === undefined) {
      series = { realm, strategyType, nodes: 0, dropped: 0, durations: new Map(), errors: new Map() };
      byType.set(strategyType, series);
    }
    return series;
  };

  const observeDuration = (series: ExecutionSeries, status: string, seconds: number): void => {
    let durations = series.durations.get(status);
    if (durations === undefined) {
      durations = { buckets: new Array(edgesSeconds.length + 1).fill(0), sumSeconds: 0, count: 0 };
      series.durations.set(status, durations);
    }
    let bucket = 0;
    while (bucket < edgesSeconds.length && seconds > (edgesSeconds[bucket] ?? 0)) bucket += 1;
    durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1;
    durations.sumSeconds += seconds;
    durations.count += 1;
  };

  return {
    observe({ realm, strategyType, status, errorCode, durationMs, nodesExecuted }: Observation): void {
      const series = find(toLabel(realm), toLabel(strategyType));
      if (Number.isFinite(durationMs)) observeDuration(series, status, durationMs / 1_000);
      if (Number.isFinite(nodesExecuted) && nodesExecuted > 0) series.nodes += nodesExecuted;
      if (status === 'ok') return;
      const code = toLabel(errorCode);
      series.errors.set(code, (series.errors.get(code) ?? 0) + 1);
    },
    dropped(realm: unknown, strategyType: unknown): void {
      find(toLabel(realm), toLabel(strategyType)).dropped += 1;
    },
    *all(): Generator<ExecutionSeries> {
      for (const byType of byRealm.values()) yield* byType.values();
    },
  };
}
