import { createRecordRole } from '../ingest/pipeline.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { requestKind } from './kind.ts';

/** The role `completed-request`. */
export function createCompletedRequest(deps: RoleDeps<never>): Role {
  return createRecordRole(requestKind, deps);
}
