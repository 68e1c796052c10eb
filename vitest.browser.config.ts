import { defineConfig } from 'vitest/config';

/**
 * The page in a real browser: `npm run test:browser`. Apart from `npm test`, as it needs Chromium. What people do with it is
 * done a second time behind nginx, at a sub-path.
 */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'browser', include: ['test/browser/**/*.browser.ts'], provide: { basePath: '' } },
      },
      {
        extends: true,
        test: {
          name: 'browser, behind nginx',
          include: ['test/browser/journeys.browser.ts', 'test/browser/requests.browser.ts'],
          provide: { basePath: '/sluice' },
        },
      },
    ],
    globalSetup: ['test/support/servers.ts', 'test/browser/set-up.ts'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // A browser is several processes by itself: two keep two cores busy.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
