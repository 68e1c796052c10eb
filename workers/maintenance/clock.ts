import type { TaskDeps } from './task.ts';

const dayMs = 86_400_000;

/** Whether two clocks agree to within a day. When they do not, one of them is wrong, and nobody knows which. */
export function agree(workerMs: number, databaseMs: number): boolean {
  return Math.abs(workerMs - databaseMs) <= dayMs;
}

/** Whether nothing may be deleted by age, since the clocks do not agree; then says so in the log. */
export function isClockOff({ now, logger }: Pick<TaskDeps, 'now' | 'logger'>, databaseMs: number): boolean {
  const workerMs = now();
  if (agree(workerMs, databaseMs)) return false;
  const aheadSeconds = Math.round((workerMs - databaseMs) / 1_000);
  logger.error(
    { aheadSeconds },
    'the clocks of the worker and the database differ by more than a day; nothing is deleted',
  );
  return true;
}
