import { defineConfig } from 'vitest/config';

/**
 * What reads through the door: these run again where Sluice is a guest (see test/support/guest.ts), once in an older PostgreSQL and
 * once behind a pooler.
 */
const reads = [
  'test/{queries,scenarios/queries}/**/*.int.test.ts',
  'test/erasure/erase-creator.int.test.ts',
  'test/names/*.int.test.ts',
  'test/scenarios/completed-requests/request-races.int.test.ts',
  'test/console/server/routes/{executions,requests}.int.test.ts',
];

/** What writes: these run again as a guest behind a pooler, with both PostgreSQLs. */
const writes = [
  'test/{workers,scenarios}/execution-log/*.int.test.ts',
  'test/{workers,scenarios}/completed-requests/*.int.test.ts',
  'test/workers/health-events/hardened/hardened.int.test.ts',
  'test/workers/ingest/copy-or-statement.int.test.ts',
  'test/dead-letters/store.int.test.ts',
];

/** What has a queue or a stream in it: these run again on a Redis Cluster. */
const onCluster = [
  'test/scenarios/{execution-log,completed-requests}/worker.int.test.ts',
  'test/workers/maintenance/worker.int.test.ts',
  'test/scenarios/ingest/{dead-letter-trouble,neighbours,other-language,own-fault,passing-refusal,shards}.int.test.ts',
  'test/scenarios/producers/{completed-requests,shards}.int.test.ts',
  'test/shared/platform/redis/find-shards.int.test.ts',
  'test/workers/ingest/*.int.test.ts',
  'test/workers/health-events/hardened/{hardened,offset,stream-reader,take-events}.int.test.ts',
  'test/workers/health-events/outbox/*.int.test.ts',
  'test/queries/health/*.int.test.ts',
  'test/erasure/erase-{jobs,subject}.int.test.ts',
  'test/console/server/routes/{queues,shards}.int.test.ts',
  'test/cli/commands/queues/*.int.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'direct', include: ['test/**/*.test.ts'], globalSetup: ['test/support/servers.ts'] },
      },
      {
        extends: true,
        test: { name: 'guest, older', include: reads, globalSetup: ['test/support/guest-older-servers.ts'] },
      },
      {
        extends: true,
        test: { name: 'pooled', include: [...reads, ...writes], globalSetup: ['test/support/pooled-servers.ts'] },
      },
      {
        extends: true,
        test: { name: 'pooled, older', include: writes, globalSetup: ['test/support/pooled-older-servers.ts'] },
      },
      {
        extends: true,
        test: { name: 'cluster', include: onCluster, globalSetup: ['test/support/cluster-servers.ts'] },
      },
    ],
    // On demand, `npm run coverage`: what the tests reach in the processes that they start is not in it.
    coverage: {
      reporter: ['text-summary', 'html'],
      include: [
        '{archive,cli,console,dead-letters,doctor,erasure,gateway,names,producers,prisma,queries,shared,workers}/**/*.ts',
      ],
      exclude: ['prisma/client/**'],
    },
    reporters: ['default', './test/support/count-reporter.ts'],
    // Most files wait for processes and servers more than they compute; the default is one worker on two cores.
    maxWorkers: 3,
    // Modules are loaded once a worker, not once a file: nothing connects, starts or keeps state at import.
    isolate: false,
    // Long enough for a busy machine: no test waits for time to pass, all wait for something to happen.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
