import { ageSeconds, type QueueReading } from '../../../shared/platform/redis/read-queue.ts';

/** How long a queue was at a moment, and how old. */
export interface QueueSample {
  at: Date;
  /** jobs that waited, were delayed or were being worked on */
  depth: number;
  /** of the job that had waited longest; null when none did */
  oldestAgeSeconds: number | null;
}

/** An hour, at one in ten seconds. */
export const mostSamples = 360;
const closestMs = 10_000;

/** A history with one more reading, unless the last one is of the ten seconds before. What is older than an hour goes. */
export function withSample(history: readonly QueueSample[], reading: QueueReading, nowMs: number): QueueSample[] {
  const lastMs = history.at(-1)?.at.getTime() ?? Number.NEGATIVE_INFINITY;
  // A clock that was put back begins anew: an axis of time goes one way.
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
