import { ageSeconds, type QueueReading } from '../../../shared/platform/redis/read-queue.ts';

/** How long a queue was at a moment, and the age of its oldest job. */
export interface QueueSample {
  at: Date;
  /** jobs that waited, were delayed or were active */
  depth: number;
  /** of the job that had waited longest; null if none waited */
  oldestAgeSeconds: number | null;
}

/** An hour, with one sample every ten seconds. */
export const mostSamples = 360;
const closestMs = 10_000;

/** A history with one more reading, unless the last one is less than ten seconds old. Drops what is older than an hour. */
export function withSample(history: readonly QueueSample[], reading: QueueReading, nowMs: number): QueueSample[] {
  const lastMs = history.at(-1)?.at.getTime() ?? Number.NEGATIVE_INFINITY;
  // If the clock was set back, the history starts again: a time axis runs in one direction.
  const kept = lastMs > nowMs ? [] : history;
  if (kept.length > 0 && nowMs - lastMs < closestMs) return [...kept];
  return [...kept, toSample(reading, nowMs)].slice(-mostSamples);
}

function toSample({ waiting, active, delayed, oldestAddedAtMs }: QueueReading, nowMs: number): QueueSample {
  return {
    at: new Date(nowMs),
    depth: waiting + active + delayed,
    oldestAgeSeconds: ageSeconds(oldestAddedAtMs, nowMs),
  };
}
