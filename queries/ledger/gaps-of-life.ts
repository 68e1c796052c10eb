import { beginning, type Edge, type Gap, gapBetween, tailAfter } from './gaps.ts';
import type { LifeRow } from './read-lives.ts';

/** The chunks of the ledger are kept for 30 days, and days are dropped whole. */
const keptMs = 29 * 86_400_000;

/**
 * The gaps at the ends of what a life has in a window: before its first chunk there, and after its last one. Null where the ends are
 * known to be whole, or nothing is known.
 */
export function gapsAtEnds(life: LifeRow): Gap[] {
  const first: Edge | null =
    life.firstSeq === null
      ? null
      : { seq: life.firstSeq, position: life.start, isWhole: true, minute: life.firstMinute };
  const before: Edge | null =
    life.before === null
      ? isBeginningKept(life)
        ? beginning
        : null
      : { seq: life.before.seq, position: life.before.end, isWhole: true, minute: life.before.minute };
  const last: Edge | null =
    life.lastSeq === null
      ? before && { ...before, minute: before.minute ?? Math.floor(life.epoch / 60_000) }
      : { seq: life.lastSeq, position: life.end, isWhole: true, minute: life.lastMinute };
  return [
    before === null || first === null ? null : gapBetween(before, first),
    last === null ? null : gapAfter(last, life),
  ].filter((gap) => gap !== null);
}

function gapAfter(last: Edge, { after, report }: LifeRow): Gap | null {
  if (after !== null)
    return gapBetween(last, { seq: after.seq, position: after.start, isWhole: true, minute: after.minute });
  if (report === null) return null;
  const { lastSeq, chunkedRecords, reportedAtMs } = report;
  return tailAfter(last, { lastSeq, chunkedRecords, minute: Math.floor(reportedAtMs / 60_000) });
}

/** Whether chunks are missing between those of a life in a window. */
export function hasHoles({ firstSeq, records, start, end }: LifeRow): boolean {
  return firstSeq !== null && records < end - start;
}

/** Of a life that is older than what is kept, the first chunks are not missing: their day was dropped. */
function isBeginningKept({ report, epoch, nowMs }: LifeRow): boolean {
  return (report?.firstAtMs ?? epoch) > nowMs - keptMs;
}

/** Whether something of a gap may have been recorded within a window, in minutes since 1970. */
export function isWithin({ fromMinute, untilMinute }: Gap, sinceMinute: number, untilMinuteOfWindow: number): boolean {
  const minutes = [fromMinute, untilMinute].filter((minute) => minute !== null);
  if (minutes.length === 0) return true;
  return Math.max(...minutes) >= sinceMinute && Math.min(...minutes) < untilMinuteOfWindow;
}
