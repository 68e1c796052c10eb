import type { TestProject } from 'vitest/node';
import { setUpServers } from './servers.ts';

/** A private PostgreSQL, and a Redis Cluster of three primaries with a replica each. */
export default function setUp(project: TestProject) {
  return setUpServers(project, null, { onCluster: true });
}
