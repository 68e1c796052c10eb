import type { Accounts } from './accounts.ts';
import type { SteadyLoad } from './steady-load.ts';

/** How long before the loss of a primary a write may have been acknowledged that no replica had, in ms: far above what was measured. */
const windowMs = 1_000;

/**
 * What a primary that dies at this moment may take with it: asynchronous replication sends what it has acknowledged a moment later.
 *
 * @param laggingSince how many had been recorded when the replicas began to lag. @default they do not
 */
export function lossWindow(load: SteadyLoad, perSecond: number, laggingSince: number = load.names.length) {
  const at = load.names.length;
  // Those that are recorded now may be acknowledged before it is dead.
  const last = at + perSecond;
  const suspects = (): Set<string> =>
    new Set(load.names.slice(Math.max(0, laggingSince - (windowMs / 1_000) * perSecond), last));
  return {
    contains: (name: string): boolean => suspects().has(name),
    /** For people who read the output of the tests: docs/redis.md has a table of it. */
    tell(what: string, { stored, lost, duplicated }: Accounts, seconds: number): void {
      process.stdout.write(
        `${what}: ${load.names.length} recorded, ${stored} stored, ${lost.length} lost, ${duplicated.length} twice, ${seconds.toFixed(1)} s until flow\n`,
      );
    },
  };
}
