import type { TaskDeps } from './task.ts';

/** Raises the alarm about rows that were deleted sooner after they were stored than they are to be kept. */
export function tellEarly(
  { logger, onEarly }: Pick<TaskDeps, 'logger' | 'onEarly'>,
  deleted: { table: string; rows: number; keepDays: number },
): void {
  onEarly(deleted.table, deleted.rows);
  logger.error(
    deleted,
    'rows were deleted before their retention period had passed since they were stored: their records arrived late or with a wrong time',
  );
}
