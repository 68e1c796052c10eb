import type { Database } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from '../executions/snapshot.ts';
import { checkWindow, type ExecutionWindow, type WindowRequest } from '../executions/window.ts';
import { type RequestSubject, resolveRequestWindow } from './scope.ts';
import { type RequestFigures, readRequestFigures } from './stats.ts';

/** One side of a comparison. */
export interface ComparedRequests extends RequestFigures {
  /** null: not only one */
  model: string | null;
  window: ExecutionWindow;
}

/** Requests side by side: of two models, or of two windows. */
export interface RequestComparison {
  a: ComparedRequests;
  b: ComparedRequests;
  /** B minus A; null if one of the two has no such figure */
  delta: {
    requests: number;
    failureRate: number | null;
    /** ms, of completed requests */
    p50Ms: number | null;
    p95Ms: number | null;
    p99Ms: number | null;
    firstTokenP50Ms: number | null;
    firstTokenP95Ms: number | null;
    /** of requests that say how many */
    inputTokensPerRequest: number | null;
    outputTokensPerRequest: number | null;
    /** of priced requests; null unless both sides have costs in the same single currency */
    costPerRequest: { currency: string; amount: number } | null;
  };
}

/** What to compare: two models within a window, or the window with an earlier one. */
export interface RequestComparisonQuestion {
  window: WindowRequest;
  compared: { models: readonly [a: string, b: string] } | { base: ExecutionWindow | null };
  subject?: RequestSubject;
  /** of one statement. @default the database's own timeout */
  timeoutMs?: number;
}

/**
 * Reads both sides from one snapshot. Without a base, a window is compared with that of the same length right before it.
 *
 * @throws UsageError if a window is empty
 */
export function compareRequests(database: Database, question: RequestComparisonQuestion): Promise<RequestComparison> {
  const { compared, subject = {}, timeoutMs } = question;
  return inSnapshot(
    database,
    async (snapshot) => {
      const window = await resolveRequestWindow(snapshot, subject, question.window);
      const read = async (side: { model: string | null; window: ExecutionWindow }): Promise<ComparedRequests> => {
        const mine = side.model === null ? subject : { ...subject, model: side.model };
        return { ...side, ...(await readRequestFigures(snapshot, { window: side.window, subject: mine })) };
      };
      if ('models' in compared) {
        const [a, b] = compared.models;
        return toComparison(await read({ model: a, window }), await read({ model: b, window }));
      }
      const model = subject.model ?? null;
      const base = compared.base === null ? windowBefore(window) : checkWindow(compared.base);
      return toComparison(await read({ model, window: base }), await read({ model, window }));
    },
    timeoutMs,
  );
}

/** The window of the same length right before. Its beginning is not before 1970, the earliest time there is. */
export function windowBefore({ since, until }: ExecutionWindow): ExecutionWindow {
  const ms = 2 * since.getTime() - until.getTime();
  return checkWindow({ since: new Date(Math.max(0, ms)), until: since });
}

/** The change from A to B. */
export function toComparison(a: ComparedRequests, b: ComparedRequests): RequestComparison {
  const delta = (figure: (of: RequestFigures) => number | null): number | null => {
    const [before, after] = [figure(a), figure(b)];
    return before === null || after === null ? null : after - before;
  };
  const perRequest = (sum: number, requests: number): number | null => (requests === 0 ? null : sum / requests);
  return {
    a,
    b,
    delta: {
      requests: b.requests - a.requests,
      failureRate: delta(({ failureRate }) => failureRate.value),
      p50Ms: delta(({ latencyMs }) => latencyMs.completed.p50.value),
      p95Ms: delta(({ latencyMs }) => latencyMs.completed.p95.value),
      p99Ms: delta(({ latencyMs }) => latencyMs.completed.p99.value),
      firstTokenP50Ms: delta(({ firstTokenMs }) => firstTokenMs.p50.value),
      firstTokenP95Ms: delta(({ firstTokenMs }) => firstTokenMs.p95.value),
      inputTokensPerRequest: delta(({ tokens }) => perRequest(tokens.input, tokens.inputRequests)),
      outputTokensPerRequest: delta(({ tokens }) => perRequest(tokens.output, tokens.outputRequests)),
      costPerRequest: costDelta(a, b),
    },
  };
}

function costDelta(a: RequestFigures, b: RequestFigures): { currency: string; amount: number } | null {
  const [mine, ...moreOfA] = a.cost.amounts;
  const [theirs, ...moreOfB] = b.cost.amounts;
  if (mine === undefined || theirs === undefined || moreOfA.length > 0 || moreOfB.length > 0) return null;
  if (mine.currency !== theirs.currency) return null;
  const amount = Number(theirs.amount) / theirs.requests - Number(mine.amount) / mine.requests;
  return { currency: mine.currency, amount };
}
