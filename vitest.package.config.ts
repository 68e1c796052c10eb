import { defineConfig } from 'vitest/config';

/** The SDK as a package, in services of its own: `npm run test:package`. Apart from `npm test`, as it installs from a registry. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.package.ts'],
    globalSetup: ['test/support/servers.ts', 'test/package/set-up.ts'],
    reporters: ['default', './test/support/count-reporter.ts'],
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
});
