import type { TestProject } from 'vitest/node';
import { setUpServers } from './servers.ts';

/** The PostgreSQL that Sluice brings, through PgBouncer. */
export default function setUp(project: TestProject) {
  return setUpServers(project, { binaries: () => undefined, timeZone: 'Europe/Berlin', pooled: true });
}
