import type { TestProject } from 'vitest/node';
import { setUpServers } from './servers.ts';

/** The PostgreSQL that Sluice brings, reached directly, with Sluice as a guest. */
export default function setUp(project: TestProject) {
  return setUpServers(project, { binaries: () => undefined, timeZone: 'Europe/Berlin', pooled: false });
}
