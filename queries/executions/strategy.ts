import { UsageError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { cutIntoBuckets } from './buckets.ts';
import { type ByResult, durationBinsPart, percentilesPart, pointsBinsPart } from './distributions.ts';
import type { DurationBin, PointsBin } from './histograms.ts';
import { type Cases, type ErrorCodes, outcomesPart } from './outcomes.ts';
import { readParts } from './parts.ts';
import type { Percentiles } from './percentiles.ts';
import { resolveWindow } from './scope.ts';
import { type Series, seriesPart } from './series.ts';
import { inSnapshot, type Snapshot } from './snapshot.ts';
import { type StatusSummary, statusPart } from './statuses.ts';
import type { Subject } from './subject.ts';
import type { ExecutionWindow, WindowRequest } from './window.ts';

/** A question about a strategy. */
export interface StrategyQuestion extends Subject {
  window: WindowRequest;
  /** the number of error codes and of cases to list by name, 1 to 50. @default 10 */
  top?: number;
  /** of one statement. @default the database's own timeout */
  timeoutMs?: number;
}

/** Figures of a strategy over a window. All counts, means and percentiles are weighted: they refer to runs, not rows. */
export interface StrategyFigures {
  strategyId: string;
  /** the window as it was interpreted */
  window: ExecutionWindow;
  summary: StatusSummary;
  errorCodes: ErrorCodes;
  cases: Cases;
  /** ms */
  durations: ByResult<Percentiles>;
  durationBins: ByResult<DurationBin[]>;
  pointsBins: PointsBin[];
}

/** The figures, and how they developed over time. */
export interface StrategyAnswer extends StrategyFigures {
  series: Series;
}

/**
 * Everything about a strategy over a window, from one snapshot.
 *
 * @param question.bucketMs of the series, whole seconds; null chooses one, see cutIntoBuckets
 * @throws UsageError if the window, the bucket or `top` is invalid
 */
export async function readStrategy(
  database: Database,
  question: StrategyQuestion & { bucketMs?: number | null },
): Promise<StrategyAnswer> {
  const top = checkTop(question.top);
  return inSnapshot(
    database,
    async (snapshot) => {
      const { strategyId, realmId = null } = question;
      const window = await resolveWindow(snapshot, question, question.window);
      const buckets = cutIntoBuckets(window, question.bucketMs);
      const parts = { ...figureParts(top), series: seriesPart(buckets, window) };
      const { outcomes, ...figures } = await readParts(snapshot, { strategyId, realmId, window }, buckets, parts);
      return { strategyId, window, ...figures, ...outcomes };
    },
    question.timeoutMs,
  );
}

/** The figures without the series, within a given snapshot. @throws as readStrategy */
export async function readFiguresWithin(snapshot: Snapshot, question: StrategyQuestion): Promise<StrategyFigures> {
  const { strategyId, realmId = null } = question;
  const parts = figureParts(checkTop(question.top));
  const window = await resolveWindow(snapshot, question, question.window);
  const { outcomes, ...figures } = await readParts(snapshot, { strategyId, realmId, window }, null, parts);
  return { strategyId, window, ...figures, ...outcomes };
}

function figureParts(top: number) {
  return {
    summary: statusPart,
    outcomes: outcomesPart(top),
    durations: percentilesPart,
    durationBins: durationBinsPart,
    pointsBins: pointsBinsPart,
  };
}

const maxTop = 50;

function checkTop(top = 10): number {
  if (!Number.isInteger(top) || top < 1 || top > maxTop)
    throw new UsageError(`top is ${top}; accepted: 1 to ${maxTop}`);
  return top;
}
