import { defineConfig } from 'vitest/config';

/** The page in a real browser: `npm run test:browser`. Apart from `npm test`, as it needs Chromium. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    globalSetup: ['test/support/servers.ts', 'test/browser/set-up.ts'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // A browser is several processes by itself.
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
