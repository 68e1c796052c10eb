import { type Command, InvalidArgumentError } from 'commander';
import { parseWindow, type WindowRequest } from '../../queries/executions/window.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { toDayStart, toInstants, toOffset, zoneName } from './local-time.ts';

/** The values of `--since` and `--until`. */
export interface WindowFlags {
  since?: string;
  until?: string;
}

const unitsMs: Record<string, number> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Adds the two options of a window to a command. */
export function addWindowOptions(command: Command, defaultText = 'the last 24 hours'): Command {
  return command
    .option(
      '--since <time>',
      `start of the window: an age (30m, 2h, 7d), an ISO time, local unless it has an offset, or all (default: ${defaultText})`,
    )
    .option(
      '--until <time>',
      'end of the window, exclusive: an age or an ISO time, local unless it has an offset (default: now)',
    );
}

/**
 * The window of `--since` and `--until`, half open: a run at the second time is outside.
 *
 * @throws UsageError if one of them is not a time, or the window is empty
 */
export function readWindow({ since, until }: WindowFlags, nowMs: number): WindowRequest {
  return parseWindow(
    {
      since: since === undefined || since === 'all' ? since : toIsoTime('--since', since, nowMs),
      until: until === undefined ? until : toIsoTime('--until', until, nowMs),
    },
    nowMs,
  );
}

/** An age such as 90s, 30m, 2h, 7d or 1w, in ms. */
export function ageMs(text: string): number {
  const ms = toAgeMs(text);
  if (ms === null) throw new InvalidArgumentError('It must be an age such as 90s, 30m, 2h, 7d or 1w.');
  return ms;
}

function toAgeMs(text: string): number | null {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  return count === undefined || unitMs === undefined ? null : Number(count) * unitMs;
}

function toIsoTime(option: string, text: string, nowMs: number): string {
  const age = toAgeMs(text);
  if (age !== null && nowMs - age >= 0) return new Date(nowMs - age).toISOString();
  if (age === null && day.test(text)) {
    const start = toDayStart(text);
    if (start !== null) return new Date(start).toISOString();
  } else if (age === null && isTime(`${text}Z`)) return toIsoOfReading(option, text);
  else if (age === null && isTime(text)) return text;
  const shown = JSON.stringify(text.slice(0, 60));
  throw new UsageError(
    `${option} must be an age such as 30m, 2h or 7d, or a time such as 2026-03-01T12:00:00Z, 2026-03-01T12:00 or 2026-03-01, not ${shown}`,
  );
}

const day = /^\d{4}-\d{2}-\d{2}$/;

/** A time without an offset is that of this machine's clocks, if they show it once. */
function toIsoOfReading(option: string, text: string): string {
  // Clocks do not change within a second, and JavaScript keeps milliseconds.
  const instants = toInstants(text.replace(/(\.\d{3})\d+$/, '$1'));
  const [first] = instants;
  if (first === undefined)
    throw new UsageError(
      `${option}: clocks in ${zoneName()} skip ${text}, because they are set forward over it; give another time, or one with an offset`,
    );
  if (instants.length > 1) {
    const both = instants.map((ms) => `${text}${toOffset(ms)}`).join(' or ');
    throw new UsageError(
      `${option}: clocks in ${zoneName()} show ${text} twice, because they are set back; give ${both}`,
    );
  }
  return new Date(first).toISOString();
}

function isTime(text: string): boolean {
  try {
    // Without a beginning, so that it is not compared with one.
    parseWindow({ since: 'all', until: text }, 0);
    return true;
  } catch {
    return false;
  }
}
