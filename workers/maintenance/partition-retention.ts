import type { Partition } from '../../shared/platform/postgres/partitions/partition-catalog.ts';

const dayMs = 86_400_000;

/**
 * The partitions that hold nothing but what is older than `retentionDays`, the oldest first. Decided by their bounds
 * alone, whatever their names are. The DEFAULT partition, one without a beginning or an end, and one whose bounds cannot
 * be read are never among them.
 *
 * @param nowMs by the database's clock
 * @param retentionDays 0 keeps everything
 */
export function planRetention(partitions: readonly Partition[], nowMs: number, retentionDays: number): Partition[] {
  if (retentionDays === 0) return [];
  const keepFromMs = nowMs - retentionDays * dayMs;
  return partitions
    .filter(({ isDroppable }) => isDroppable)
    .flatMap((partition) => (partition.bounds.kind === 'range' ? [{ partition, ...partition.bounds }] : []))
    .filter(({ fromMs, untilMs }) => Number.isFinite(fromMs) && Number.isFinite(untilMs) && untilMs <= keepFromMs)
    .sort((a, b) => a.untilMs - b.untilMs)
    .map(({ partition }) => partition);
}
