import { expect } from 'vitest';
import { type Accounts, settledAccounts } from './accounts.ts';
import type { SteadyLoad } from './steady-load.ts';
import type { Place } from './worker-process.ts';

/** How long before the loss of a primary a write may have been acknowledged that no replica had, in ms: far above what was measured. */
const windowMs = 1_000;

/** A fault of Redis while executions are recorded: how long the flow stops, and what it costs. */
export interface FaultUnderLoad {
  /** The flow is expected to stop, from now on. */
  happened(): void;
  /** The flow has come back. */
  isOver(): void;
  /**
   * Ends the load and waits until no job is left. Tells people who read the output of the tests: docs/redis.md has a table of it.
   *
   * @returns what became of all that was recorded
   */
  settle(what: string): Promise<Accounts>;
  /** That nothing is twice, and nothing lost but what the primary may have taken with it. */
  expectLittleLost(accounts: Accounts): void;
}

/**
 * Watches a load from the moment before a fault. A primary that dies now may take with it what it has acknowledged and not sent to a
 * replica: asynchronous replication does that a moment later.
 *
 * @param laggingSince how many had been recorded when the replicas began to lag. @default they do not
 */
export function watchFault(
  { place, load }: { place: Place; load: SteadyLoad },
  { perSecond, laggingSince = load.names.length }: { perSecond: number; laggingSince?: number },
): FaultUnderLoad {
  const at = load.names.length;
  let since = performance.now();
  let seconds = 0;
  return {
    happened() {
      since = performance.now();
    },
    isOver() {
      seconds = (performance.now() - since) / 1_000;
    },
    async settle(what) {
      await load.stop();
      const accounts = await settledAccounts(place, load.names);
      const { stored, lost, duplicated } = accounts;
      process.stdout.write(
        `${what}: ${load.names.length} recorded, ${stored} stored, ${lost.length} lost, ${duplicated.length} twice, ${seconds.toFixed(1)} s until flow\n`,
      );
      return accounts;
    },
    expectLittleLost(accounts) {
      // Those that are recorded now may be acknowledged before it is dead.
      const from = Math.max(0, laggingSince - (windowMs / 1_000) * perSecond);
      const suspects = new Set(load.names.slice(from, at + perSecond));
      expect(accounts).toMatchObject({ duplicated: [], deadLetters: 0, failedJobs: 0 });
      expect(accounts.lost.filter((name) => !suspects.has(name))).toEqual([]);
    },
  };
}
