import type { Database } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from './snapshot.ts';
import { readFiguresWithin, type StrategyFigures, type StrategyQuestion } from './strategy.ts';

/** Two strategies side by side. */
export interface Comparison {
  a: StrategyFigures;
  b: StrategyFigures;
  /** B minus A; null if one of the two has no such figure */
  delta: {
    failureRate: number | null;
    /** ms, of ok runs */
    meanMs: number | null;
    p50Ms: number | null;
    p95Ms: number | null;
    p99Ms: number | null;
    /** of ok runs that scored points */
    meanPoints: number | null;
  };
}

/** Reads both from one snapshot, so that they are compared as of one moment. @throws as readStrategy */
export function compareStrategies(
  database: Database,
  question: Omit<StrategyQuestion, 'strategyId'> & { a: string; b: string },
): Promise<Comparison> {
  const { a, b, ...rest } = question;
  return inSnapshot(
    database,
    async (snapshot) => {
      const of = (strategyId: string) => readFiguresWithin(snapshot, { ...rest, strategyId });
      return toComparison(await of(a), await of(b));
    },
    question.timeoutMs,
  );
}

/** The change from A to B. */
export function toComparison(a: StrategyFigures, b: StrategyFigures): Comparison {
  const delta = (figure: (of: StrategyFigures) => number | null): number | null => {
    const [before, after] = [figure(a), figure(b)];
    return before === null || after === null ? null : after - before;
  };
  return {
    a,
    b,
    delta: {
      failureRate: delta(({ summary }) => summary.failureRate.value),
      meanMs: delta(({ summary }) => summary.statuses.ok.durationMs.mean),
      p50Ms: delta(({ durations }) => durations.ok.p50.value),
      p95Ms: delta(({ durations }) => durations.ok.p95.value),
      p99Ms: delta(({ durations }) => durations.ok.p99.value),
      meanPoints: delta(({ summary }) => summary.points.mean),
    },
  };
}
