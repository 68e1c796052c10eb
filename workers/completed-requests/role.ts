import { createRecordRole } from '../ingest/record-role.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { completedRequestQueue } from './queue.ts';

/** The role `completed-request`. */
export function createCompletedRequest(deps: RoleDeps<never>): Role {
  return createRecordRole(completedRequestQueue, deps);
}
