import { otherLabel, toKeptLabel, toLabel } from './labels.ts';

/** What an execution adds to the metrics. */
export interface Observation {
  realm: string | null | undefined;
  strategyType: string | null | undefined;
  status: string;
  errorCode: string | null | undefined;
  durationMs: number;
  nodesExecuted: number;
}

/** Durations of the runs with one status. */
export interface DurationSeries {
  /** runs by bucket, not cumulative; the last bucket is for runs beyond the last edge */
  buckets: number[];
  sumSeconds: number;
  count: number;
}

/** The labels that an observation is counted under. */
export interface SeriesLabels {
  readonly realm: string;
  readonly strategyType: string;
}

/** The counts of one realm and strategy type. */
export interface ExecutionSeries extends SeriesLabels {
  nodes: number;
  dropped: number;
  durations: Map<string, DurationSeries>;
  errors: Map<string, number>;
}

/** How many observations were counted under `other`, by metric. */
export type SeriesOverflow = Record<'durations' | 'nodes' | 'errors' | 'dropped', number>;

/** The last tenth of the error series is reserved for the code `other` of known realms, so that the sum of a realm stays right. */
const codesShare = 0.9;

/**
 * Counts executions in plain numbers, which are read at each scrape. prom-client sorts and joins the labels at each
 * observation, which would be most of the cost of record() for a run that is sampled out.
 *
 * Callers may have any number of realms, types and codes. Once there are `maxSeries`, anything new is counted under `other`, so
 * that sums over all series stay right. The series in which all labels are `other` comes on top of `maxSeries`.
 *
 * @param edgesSeconds upper edges of the duration buckets, ascending
 * @param maxSeries label sets of one metric
 */
export function createExecutionSeries(edgesSeconds: readonly number[], maxSeries: number) {
  const byRealm = new Map<string, Map<string, ExecutionSeries>>();
  const other = createSeries(otherLabel, otherLabel);
  const overflow: SeriesOverflow = { durations: 0, nodes: 0, errors: 0, dropped: 0 };
  let pairs = 0;
  let durationSeries = 0;
  let errorSeries = 0;

  const find = (realm: string, strategyType: string): ExecutionSeries =>
    byRealm.get(realm)?.get(strategyType) ?? findKept(toKeptLabel(realm), toKeptLabel(strategyType));

  const findKept = (realm: string, strategyType: string): ExecutionSeries => {
    const known = byRealm.get(realm)?.get(strategyType);
    if (known !== undefined) return known;
    if (pairs >= maxSeries || (realm === otherLabel && strategyType === otherLabel)) return other;
    const byType = byRealm.get(realm) ?? new Map<string, ExecutionSeries>();
    byRealm.set(realm, byType);
    const series = createSeries(realm, strategyType);
    byType.set(strategyType, series);
    pairs += 1;
    return series;
  };

  const addDurations = (series: ExecutionSeries, status: string): DurationSeries => {
    if (series !== other && durationSeries >= maxSeries) {
      overflow.durations += 1;
      return other.durations.get(status) ?? addDurations(other, status);
    }
    const durations = { buckets: new Array(edgesSeconds.length + 1).fill(0), sumSeconds: 0, count: 0 };
    series.durations.set(status, durations);
    durationSeries += 1;
    return durations;
  };

  const observeDuration = (series: ExecutionSeries, status: string, seconds: number): void => {
    const durations = series.durations.get(status) ?? addDurations(series, status);
    let bucket = 0;
    while (bucket < edgesSeconds.length && seconds > (edgesSeconds[bucket] ?? 0)) bucket += 1;
    durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1;
    durations.sumSeconds += seconds;
    durations.count += 1;
  };

  const countError = (series: ExecutionSeries, code: string): void => {
    const count = series.errors.get(code);
    if (count === undefined) countNewError(series, toKeptLabel(code));
    else series.errors.set(code, count + 1);
  };

  const countNewError = (series: ExecutionSeries, code: string): void => {
    if (series.errors.has(code) || errorSeries < maxSeries * codesShare) {
      addError(series, code);
      return;
    }
    if (series !== other) overflow.errors += 1;
    const hasRoom = series.errors.has(otherLabel) || errorSeries < maxSeries;
    addError(hasRoom ? series : other, otherLabel);
  };

  const addError = ({ errors }: ExecutionSeries, code: string): void => {
    const count = errors.get(code);
    if (count === undefined) errorSeries += 1;
    errors.set(code, (count ?? 0) + 1);
  };

  return {
    /** @returns the labels that it was counted under */
    observe({ realm, strategyType, status, errorCode, durationMs, nodesExecuted }: Observation): SeriesLabels {
      const series = find(toLabel(realm), toLabel(strategyType));
      if (Number.isFinite(durationMs)) {
        observeDuration(series, status, durationMs / 1_000);
        if (series === other) overflow.durations += 1;
      }
      if (Number.isFinite(nodesExecuted) && nodesExecuted > 0) {
        series.nodes += nodesExecuted;
        if (series === other) overflow.nodes += 1;
      }
      if (status !== 'ok') {
        countError(series, toLabel(errorCode));
        if (series === other) overflow.errors += 1;
      }
      return series;
    },
    dropped(realm: unknown, strategyType: unknown): void {
      const series = find(toLabel(realm), toLabel(strategyType));
      series.dropped += 1;
      if (series === other) overflow.dropped += 1;
    },
    *all(): Generator<ExecutionSeries> {
      for (const byType of byRealm.values()) yield* byType.values();
      yield other;
    },
    overflow: overflow as Readonly<SeriesOverflow>,
  };
}

function createSeries(realm: string, strategyType: string): ExecutionSeries {
  return { realm, strategyType, nodes: 0, dropped: 0, durations: new Map(), errors: new Map() };
}
