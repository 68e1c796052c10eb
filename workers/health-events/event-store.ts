import type { Database } from '../../shared/database.ts';
import { markStored, storeDeadLetters } from '../dead-letters.ts';
import { commitEvents, loadGames } from './game-store.ts';
import type { Lease } from './lease.ts';
import { beginAnew } from './offset.ts';
import type { EventStore } from './take-events.ts';

/** Repeats work for as long as that can help. */
export type Repeat = <T>(work: () => Promise<T>) => Promise<T>;

/** The tables, as the holder of a lease sees them. */
export function createEventStore(database: Database, lease: Lease, repeat: Repeat) {
  return {
    loadGames: (gameIds) => repeat(() => loadGames(database, gameIds)),
    commit: (commit) => repeat(() => commitEvents(database, lease, commit)),
    storeLetters: (letters) => repeat(() => storeDeadLetters(database, letters)),
    markStored: (letterIds) => repeat(() => markStored(database, letterIds)),
    /** Makes the beginning of the stream the place that is stored. */
    beginAnew: () => repeat(() => beginAnew(database, lease)),
  } satisfies EventStore & { beginAnew(): Promise<void> };
}
