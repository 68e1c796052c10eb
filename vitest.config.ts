import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/servers.ts'],
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
