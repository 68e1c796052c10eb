import { createRecordRole } from '../ingest/record-role.ts';
import { startPartitionKeeper } from '../partitions/partition-keeper.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { executionLogQueue } from './queue.ts';

/** The role `execution-log`. Its table has a partition for each day, and records come for today's from the first moment. */
export function createExecutionLog(deps: RoleDeps<never>): Role {
  return createRecordRole(executionLogQueue, deps, (signal) => startPartitionKeeper({ ...deps, signal }));
}
