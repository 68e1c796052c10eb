import { resolve } from 'node:path';

/** The environment of a process whose clock is so many ms ahead of the machine's, or behind it when below 0. */
export function clockAhead(aheadMs: number): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${resolve('test/support/shifted-clock.mjs')}`,
    SLUICE_TEST_CLOCK_AHEAD_MS: String(aheadMs),
  };
}
