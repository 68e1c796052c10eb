import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import { markStored, storeDeadLetters } from '../../../dead-letters/store.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import type { Repeat } from '../../../shared/platform/retry.ts';
import type { OwnFaultError } from '../../runtime/circuit-breaker.ts';
import type { Lease } from '../lease.ts';
import type { EventStore } from './apply-batch.ts';
import { createCommitFault } from './commit-fault.ts';
import { slicesOf } from './dead-letters.ts';
import { createEarlyLoad } from './early-load.ts';
import { commitEvents, loadGames } from './game-store.ts';
import { beginAnew } from './offset.ts';
import type { Position } from './stream-entry.ts';
import { createWaitingDeadLetters } from './waiting-dead-letters.ts';

const noEvents = { games: [], snapshots: [], results: [], transitions: [] };
const flushAgainMs = 200;

/**
 * The tables, as the holder of a lease sees them. Dead letters that only their own table does not take wait, and the place that is
 * stored stays before them.
 *
 * @param deps.startTimer measures one commit: what it returns is called at its end
 */
export function createEventStore(deps: {
  database: Database;
  lease: Lease;
  repeat: Repeat;
  logger: Logger;
  startTimer: () => () => void;
  /** ends the waiting for dead letters */
  signal: AbortSignal;
}) {
  const { database, lease, repeat, logger, signal } = deps;
  const judge = createCommitFault(database, lease);
  const early = createEarlyLoad((gameIds) => loadGames(database, gameIds));
  let wanted: Position | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const waiting = createWaitingDeadLetters({
    logger,
    store: (deadLetters) => storeSlices(deadLetters),
    markStored: (deadLetterIds) => markStored(database, deadLetterIds),
    onWritten() {
      // The place moves on, also when no event comes. Whether it did is found out by the next commit.
      const position = wanted;
      if (position === null) return;
      inTurn(async () => {
        if (position === wanted) await commit({ plan: noEvents, position, gap: null });
      }).catch(() => undefined);
    },
  });

  /** One commit after the other: an earlier place must not overwrite a later one. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const commit: EventStore['commit'] = async (what) => {
    const stopTimer = deps.startTimer();
    try {
      return await commitEvents(database, lease, { ...what, position: waiting.heldAt ?? what.position });
    } finally {
      stopTimer();
    }
  };

  const storeSlices = async (deadLetters: readonly DeadLetter[]): Promise<void> => {
    for (const slice of slicesOf(deadLetters)) await storeDeadLetters(database, slice);
  };

  /** Does what only concerns dead letters. @returns what it met, when the database answers all the same */
  const tryDeadLetters = async (work: () => Promise<void>): Promise<{ thrown: unknown } | null> => {
    let thrown: unknown = null;
    // An outage is waited for, and then it is tried once more.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        await work();
        return null;
      } catch (error) {
        thrown = error;
      }
      await repeat(() => database.$queryRaw`select from sluice.stream_offset limit 0`);
    }
    return { thrown };
  };

  const untilWritten = async (): Promise<void> => {
    while (!(await waiting.flush())) await sleep(flushAgainMs, undefined, { signal });
  };

  /** The place that is stored now. */
  const storedPlace = async (): Promise<Position | null> => {
    const stored = await repeat(() => database.streamOffset.findUnique({ where: { label: lease.label } }));
    if (stored === null) return null;
    const { lastId, entriesRead } = stored;
    return { lastId, entriesRead: entriesRead === null ? null : Number(entriesRead) };
  };

  return {
    loadEarly: early.begin,
    // What began early is the first try.
    loadGames: (gameIds) => repeat(() => early.take(gameIds) ?? loadGames(database, gameIds)),
    async commit(what) {
      const findFault = judge(what);
      const outcome = await inTurn(() => {
        wanted = what.position;
        return repeat(async () => {
          try {
            return await commit(what);
          } catch (thrown) {
            const fault = await findFault(thrown);
            if (fault === null) throw thrown;
            return fault;
          }
        });
      });
      if (isFault(outcome)) throw outcome;
      return outcome;
    },
    async storeDeadLetters(deadLetters) {
      if (waiting.isFull) await untilWritten();
      const met = waiting.isEmpty ? await tryDeadLetters(() => storeSlices(deadLetters)) : { thrown: null };
      if (met !== null) waiting.add({ deadLetters }, await storedPlace(), met.thrown);
    },
    async markStored(deadLetterIds) {
      const met = waiting.isEmpty ? await tryDeadLetters(() => markStored(database, deadLetterIds)) : { thrown: null };
      if (met !== null) waiting.add({ deadLetterIds }, null, met.thrown);
    },
    /** Makes the beginning of the stream the place that is stored. What waits is of a stream that nobody can read again. */
    async beginAnew() {
      await untilWritten();
      await repeat(() => beginAnew(database, lease));
      early.forget();
    },
    close: waiting.close,
  } satisfies EventStore & { loadEarly(gameId: string): void; beginAnew(): Promise<void>; close(): void };
}

function isFault(outcome: object): outcome is OwnFaultError {
  return outcome instanceof Error;
}
