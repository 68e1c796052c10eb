import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { backoffMs } from '../shared/platform/backoff.ts';
import {
  classifyDatabaseError,
  deadlockDetected,
  lockNotAvailable,
} from '../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../shared/platform/postgres/explain-database-error.ts';

/** The table that it wants is left to others for so long after a wait in vain, at most: they catch up meanwhile. */
const pauses = { baseMs: 1_000, maxMs: 10_000 };

const defaultMaxBroken = 4;

/** What a person is told while it waits comes no more often than this. */
const sayEveryMs = 5_000;

/** The locks of a table were not had in time. */
export class LockNotHad extends Error {
  override readonly name = 'LockNotHad';
}

/** A migration, or what it needs, could not be had. The message is for a person. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Tries something again for as long as it fails by what passes: a lock of somebody's, a connection that broke. */
export interface Patience {
  /**
   * @param what it is, as the beginning of a sentence
   * @param attempt is given what it tells who is in its way
   * @param options.maxBroken after how many broken connections it is tried again. @default 4
   * @throws MigrationError when the time is up; what the last attempt threw when trying again is no use
   */
  insist<T>(
    what: string,
    attempt: (onBlocked: (blockers: string) => void) => Promise<T>,
    options?: { maxBroken?: number },
  ): Promise<T>;
}

/**
 * @param timeoutMs for all that is insisted on, together
 * @param say is told, every few seconds, what it waits for
 */
export function createPatience({ timeoutMs, say }: { timeoutMs: number; say: (line: string) => void }): Patience {
  const deadline = performance.now() + timeoutMs;
  let saidAt = Number.NEGATIVE_INFINITY;
  const sayNowAndThen = (line: string): void => {
    if (performance.now() - saidAt < sayEveryMs) return;
    saidAt = performance.now();
    say(line);
  };
  return {
    async insist(what, attempt, { maxBroken = defaultMaxBroken } = {}) {
      let blockers: string | null = null;
      let broken = 0;
      const onBlocked = (found: string): void => {
        blockers = found;
        sayNowAndThen(`${what} is waiting for a lock held by ${found}`);
      };
      for (let tries = 0; ; tries += 1) {
        try {
          return await attempt(onBlocked);
        } catch (thrown) {
          const reason = reasonToTryAgain(thrown);
          if (reason === null) throw thrown;
          const pauseMs = Math.max(pauses.baseMs / 2, backoffMs(pauses, tries, Math.random));
          const isOver = performance.now() + pauseMs > deadline;
          if (reason === 'connection') {
            broken += 1;
            if (broken > maxBroken || isOver) throw thrown;
            say(`${what}: lost the connection (${explainDatabaseError(thrown)}); trying again`);
          } else if (isOver) {
            throw new MigrationError(giveUp(what, timeoutMs, blockers));
          }
          await sleep(pauseMs);
        }
      }
    },
  };
}

function giveUp(what: string, timeoutMs: number, blockers: string | null): string {
  const who = blockers === null ? 'see pg_locks for the holder' : `last held by ${blockers}`;
  return `${what} did not acquire its lock within ${timeoutMs / 1_000} s and was not applied: ${who}. Run sluice migrate again, with a longer --timeout if it has to wait`;
}

/** Null when the next attempt would fail, too. */
function reasonToTryAgain(thrown: unknown): 'lock' | 'connection' | null {
  if (thrown instanceof MigrationError) return null;
  if (thrown instanceof LockNotHad || isLock(thrown)) return 'lock';
  return isBrokenConnection(thrown) ? 'connection' : null;
}

/** Whether an error says nothing of the statement that met it: a lock that was not had, or a connection that broke. */
export function isPassing(thrown: unknown): boolean {
  return isLock(thrown) || isBrokenConnection(thrown);
}

function isLock(thrown: unknown): boolean {
  return thrown instanceof pg.DatabaseError && [lockNotAvailable, deadlockDetected].includes(thrown.code ?? '');
}

/** By an administrator, a crash, the network, or since somebody was idle for too long. What was begun has been taken back. */
function isBrokenConnection(thrown: unknown): boolean {
  if (thrown instanceof pg.DatabaseError) return /^(?:57P0.|08(?!P01)...|25P0[34]|53300)$/.test(thrown.code ?? '');
  return classifyDatabaseError(thrown).class === 'transient';
}
