import { UsageError } from '../../shared/platform/errors.ts';

/** A half-open span of time: `since` is inclusive, `until` exclusive. Adjacent windows share no run. */
export interface ExecutionWindow {
  since: Date;
  until: Date;
}

/** A requested window; `since: null` means from the oldest stored row. */
export interface WindowRequest {
  since: Date | null;
  until: Date;
}

/** The length of a window without a beginning: 24 hours. */
export const defaultWindowMs = 24 * 3_600_000;

/** Named spans, in ms. */
const namedWindows: Record<string, number> = {
  '1h': 3_600_000,
  '24h': 24 * 3_600_000,
  '7d': 7 * 24 * 3_600_000,
  '30d': 30 * 24 * 3_600_000,
};

/**
 * Parses a window from a URL or a command line.
 *
 * @param texts.since ISO 8601 with its offset, or `all`. @default 24 hours before `until`
 * @param texts.until ISO 8601 with its offset. @default now
 * @param texts.window 1h, 24h, 7d, 30d or all, instead of `since`
 * @throws UsageError if a text is not a time, if both `since` and `window` are given, or if the window is empty
 */
export function parseWindow(
  texts: { since?: string | undefined; until?: string | undefined; window?: string | undefined },
  nowMs: number,
): WindowRequest {
  const until = texts.until === undefined ? new Date(nowMs) : parseTime('until', texts.until);
  if (texts.since !== undefined && texts.window !== undefined) {
    throw new UsageError('since and window exclude each other; give only one of them');
  }
  if (texts.since === 'all' || texts.window === 'all') return { since: null, until };
  const since =
    texts.since === undefined ? new Date(until.getTime() - lengthOf(texts.window)) : parseTime('since', texts.since);
  return checkWindow({ since, until });
}

/** @throws UsageError if the window is empty, or a bound is not a time that both PostgreSQL and JavaScript accept */
export function checkWindow<T extends WindowRequest>(window: T): T {
  const { since, until } = window;
  for (const [name, time] of Object.entries({ since, until })) {
    if (time !== null && !isTime(time.getTime())) throw new UsageError(`${name} is not a time from 1970 to 9999`);
  }
  if (since !== null && since.getTime() >= until.getTime()) {
    throw new UsageError(`since (${since.toISOString()}) must be before until (${until.toISOString()})`);
  }
  return window;
}

function lengthOf(window: string | undefined): number {
  if (window === undefined) return defaultWindowMs;
  const lengthMs = Object.hasOwn(namedWindows, window) ? namedWindows[window] : undefined;
  if (lengthMs === undefined) {
    throw new UsageError(`window must be one of ${Object.keys(namedWindows).join(', ')}, all`);
  }
  return lengthMs;
}

/** A time without an offset is refused: it would mean a different instant on another machine. */
const iso8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

function parseTime(name: string, text: string): Date {
  const ms = iso8601.test(text) ? Date.parse(text) : Number.NaN;
  if (!isTime(ms) || !isDay(text.slice(0, 10))) {
    throw new UsageError(
      `${name} must be a time such as 2026-03-01T12:00:00Z, not ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return new Date(ms);
}

/** JavaScript reads the 30th of February as the second of March. */
function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

const year10000 = Date.UTC(10_000, 0);

function isTime(ms: number): boolean {
  return ms >= 0 && ms < year10000;
}
