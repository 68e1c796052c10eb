/** How much of its memory a Redis server uses, in bytes. */
export interface MemoryReading {
  /** what counts against the bound */
  usedBytes: number;
  /** 0: there is no bound */
  maxBytes: number;
}

/** Reads the answer of `INFO memory`; null when it does not tell both. */
export function parseMemoryInfo(text: string): MemoryReading | null {
  const figure = (name: string): number | null => {
    const value = new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1];
    return value === undefined ? null : Number(value);
  };
  const used = figure('used_memory');
  const maxBytes = figure('maxmemory');
  if (used === null || maxBytes === null) return null;
  // Buffers for replicas and for the append-only file do not count.
  return { usedBytes: Math.max(0, used - (figure('mem_not_counted_for_evict') ?? 0)), maxBytes };
}

/** Whether more than a share of the bound is in use. Without a bound never. */
export function isAboveShare({ usedBytes, maxBytes }: MemoryReading, share: number): boolean {
  return maxBytes > 0 && usedBytes > maxBytes * share;
}

/** The least and the most time between two looks at a server, in ms; and between those at one that is above the share. */
const soonestMs = 100;
const latestMs = 5_000;
const aboveMs = 500;

/**
 * When to look again: before the share can be reached at the speed of the last two looks, at most every tenth of a second
 * and at least every five.
 *
 * @param betweenMs time between the two readings
 */
export function planNextLookMs(
  before: MemoryReading | null,
  now: MemoryReading | null,
  { share, betweenMs }: { share: number; betweenMs: number },
): number {
  if (now === null || now.maxBytes === 0) return latestMs;
  if (isAboveShare(now, share)) return aboveMs;
  // The first look says nothing of the speed.
  if (before === null) return soonestMs;
  const bytesPerMs = (now.usedBytes - before.usedBytes) / Math.max(1, betweenMs);
  if (bytesPerMs <= 0) return latestMs;
  const roomMs = (now.maxBytes * share - now.usedBytes) / bytesPerMs;
  return Math.min(latestMs, Math.max(soonestMs, roomMs / 2));
}
