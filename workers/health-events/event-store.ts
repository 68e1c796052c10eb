import type { Database } from '../../shared/database.ts';
import { markStored, storeDeadLetters } from '../dead-letters.ts';
import { commitEvents, loadGames } from './game-store.ts';
import type { Lease } from './lease.ts';
import { slicesOf } from './letters.ts';
import { beginAnew } from './offset.ts';
import type { EventStore } from './take-events.ts';

/** Repeats work for as long as that can help. */
export type Repeat = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The tables, as the holder of a lease sees them.
 *
 * @param startTimer measures one commit: what it returns is called at its end
 */
export function createEventStore(database: Database, lease: Lease, repeat: Repeat, startTimer: () => () => void) {
  const commitTimed: EventStore['commit'] = async (commit) => {
    const stopTimer = startTimer();
    try {
      return await commitEvents(database, lease, commit);
    } finally {
      stopTimer();
    }
  };

  return {
    loadGames: (gameIds) => repeat(() => loadGames(database, gameIds)),
    commit: (commit) => repeat(() => commitTimed(commit)),
    async storeLetters(letters) {
      for (const slice of slicesOf(letters)) await repeat(() => storeDeadLetters(database, slice));
    },
    markStored: (letterIds) => repeat(() => markStored(database, letterIds)),
    /** Makes the beginning of the stream the place that is stored. */
    beginAnew: () => repeat(() => beginAnew(database, lease)),
  } satisfies EventStore & { beginAnew(): Promise<void> };
}
