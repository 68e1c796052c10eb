import type { Logger } from '../../shared/platform/logging/logger.ts';
import { describeDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { type CircuitBreaker, StoppedError } from '../runtime/circuit-breaker.ts';

/** Dead letters could not be written, or not be noted as stored. The reason is in the log. */
export class DeadLetterBoxShutError extends Error {
  override readonly name = 'DeadLetterBoxShutError';
}

/** Where the dead letters of a role go. */
export type DeadLetterBox = ReturnType<typeof createDeadLetterBox>;

/** How long dead letters are not written after one could not be. */
const shutMs = 5_000;

/** How many write dead letters at once: they wait for locks, and must leave connections to those who store records. */
const maxAtOnce = 1;

/**
 * Writes to the table of dead letters, which may be in trouble of its own while records are stored: locked, missing, full or
 * barred. Then the box is shut for a while, so that nobody waits for it, and one at a time tries it again. An outage of the
 * whole database is waited for.
 */
export function createDeadLetterBox(deps: {
  breaker: CircuitBreaker;
  logger: Logger;
  /** for how long a job is delayed whose dead letters cannot be written */
  jobDelayMs: number;
  /** ms of a clock that does not jump */
  now(): number;
}) {
  const { breaker, logger, jobDelayMs, now } = deps;
  const shutForMs = Math.min(shutMs, jobDelayMs);
  // What was delayed may go through at another worker.
  const tellForMs = jobDelayMs * 3 + shutMs;
  let shutUntilMs = Number.NEGATIVE_INFINITY;
  let isInTrouble = false;
  let busy = 0;
  const waiting: (() => void)[] = [];

  const refuse = (): void => {
    if (isInTrouble && (busy > 0 || now() < shutUntilMs))
      throw new DeadLetterBoxShutError('dead letters cannot be written now');
  };

  const takeTurn = async (): Promise<void> => {
    refuse();
    while (busy >= maxAtOnce) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      refuse();
    }
    busy += 1;
  };

  return {
    /** Whether the last try failed, and not long ago. */
    get isInTrouble(): boolean {
      return isInTrouble && now() < shutUntilMs - shutForMs + tellForMs;
    },

    /** Whether nothing would be tried now. */
    get isShut(): boolean {
      return isInTrouble && (busy > 0 || now() < shutUntilMs);
    },

    /** Does `work`. @throws DeadLetterBoxShutError when it fails or is not tried, StoppedError when the time is up */
    async run<T>(work: () => Promise<T>): Promise<T> {
      await takeTurn();
      try {
        // Once is enough: whether the database takes records is found out after the first failure.
        const result = await breaker.run(work, { tries: 1 });
        if (isInTrouble) logger.info('dead letters can be written again');
        isInTrouble = false;
        return result;
      } catch (error) {
        if (error instanceof StoppedError) throw error;
        const { message: reason, ...place } = describeDatabaseError(error);
        if (!isInTrouble)
          logger.error(
            { ...place, reason },
            'dead letters cannot be written; good records are stored, and jobs with dead records are delayed',
          );
        isInTrouble = true;
        shutUntilMs = now() + shutForMs;
        throw new DeadLetterBoxShutError('dead letters cannot be written now', { cause: error });
      } finally {
        busy -= 1;
        // All of them look: when it is shut now, none has to wait.
        for (const look of waiting.splice(0)) look();
      }
    },
  };
}
