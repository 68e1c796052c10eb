import { UsageError } from '../../shared/platform/errors.ts';
import { parseWindow, type WindowRequest } from '../executions/window.ts';
import type { RequestComparisonQuestion } from './compare.ts';

/** What to compare, as a URL or a command line says it. */
export interface ComparedTexts {
  /** two models */
  a?: string | undefined;
  b?: string | undefined;
  /** the earlier window, ISO 8601 with its offset. @default of the same length as the window, right before it */
  baseSince?: string | undefined;
  /** @default the beginning of the window */
  baseUntil?: string | undefined;
}

/** @throws UsageError if only one model is named, if both models and windows are, or a time is none */
export function toCompared(
  { a, b, baseSince, baseUntil }: ComparedTexts,
  window: WindowRequest,
): RequestComparisonQuestion['compared'] {
  const namesBase = baseSince !== undefined || baseUntil !== undefined;
  if (a !== undefined && b !== undefined) {
    if (namesBase) throw new UsageError('either two models are compared, or two windows; not both');
    return { models: [a, b] };
  }
  if (a !== undefined || b !== undefined) throw new UsageError('name two models to compare, or none');
  if (!namesBase) return { base: null };
  if (baseSince === undefined) throw new UsageError('the earlier window needs its beginning');
  const until = baseUntil ?? window.since?.toISOString();
  if (until === undefined) throw new UsageError('the earlier window needs its end, as the other one has no beginning');
  const base = parseWindow({ since: baseSince, until }, 0);
  if (base.since === null) throw new UsageError('the earlier window needs its beginning');
  return { base: { since: base.since, until: base.until } };
}
