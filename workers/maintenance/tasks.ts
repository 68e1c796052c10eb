import { createFactsTask } from './facts-task.ts';
import { createPartitionsTask } from './partitions-task.ts';
import { createPurgeTask } from './purge-task.ts';
import { createRetentionTask } from './retention-task.ts';
import type { TaskDeps } from './task.ts';

/** All tasks by name. */
export type Tasks = ReturnType<typeof createTasks>;

export function createTasks(deps: TaskDeps) {
  return {
    partitions: createPartitionsTask(deps),
    retention: createRetentionTask(deps),
    purge: createPurgeTask(deps),
    facts: createFactsTask(deps),
  };
}
