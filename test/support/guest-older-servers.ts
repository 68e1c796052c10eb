import type { TestProject } from 'vitest/node';
import { olderPostgres } from './older-postgres.ts';
import { setUpServers } from './servers.ts';

/** The PostgreSQL of the system, reached directly, with Sluice as a guest. */
export default function setUp(project: TestProject) {
  return setUpServers(project, { binaries: olderPostgres, timeZone: 'Europe/Berlin', pooled: false });
}
