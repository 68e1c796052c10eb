import { type ClassifiedDatabaseError, classifyDatabaseError } from '../shared/database-errors.ts';
import type { RetryOptions } from './retry.ts';
import { isWorthWaiting as isWorthWaitingByDefault, retryWhileWorthWaiting } from './retry.ts';

/** Statements that share a fate: while one of them waits for the database, the others wait for that one. */
export type OutageGate = ReturnType<typeof createOutageGate>;

type GivesUp = (error: ClassifiedDatabaseError, attempt: number) => boolean;

/**
 * Keeps an outage from being met by everything at once. The first statement that fails so that waiting can help is the
 * trial: it alone is repeated, and all others wait, those that had failed beside it included. When it gets through, or
 * is refused for what is in it, the database answers, and the others go on.
 */
export function createOutageGate(options: RetryOptions) {
  const isWorthWaiting = options.isWorthWaiting ?? isWorthWaitingByDefault;
  let trial: Promise<void> | null = null;
  const onOpen = new Set<() => void>();

  const repeat = async <T>(work: () => Promise<T>, firstError: unknown, givesUp: GivesUp): Promise<T> => {
    let failFirst = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    trial = promise;
    for (const tell of onOpen) tell();
    try {
      return await retryWhileWorthWaiting(
        async () => {
          if (!failFirst) return work();
          failFirst = false;
          throw firstError;
        },
        { ...options, isWorthWaiting: (error, attempt) => isWorthWaiting(error, attempt) && !givesUp(error, attempt) },
      );
    } finally {
      trial = null;
      resolve();
    }
  };

  return {
    /** Whether statements wait for the database now. */
    get isOutage(): boolean {
      return trial !== null;
    },

    /**
     * Does `work`, however often and late. Rejects with what waiting cannot help, or when the signal aborts.
     *
     * @param givesUp whether to reject instead of trying again, after the attempt of this number, counted from 0
     */
    async run<T>(work: () => Promise<T>, givesUp: GivesUp = () => false): Promise<T> {
      let lastError: unknown;
      for (;;) {
        while (trial !== null) await trial;
        // The trial has given up, and so do those that waited for it; what never was tried is tried once.
        if (lastError !== undefined && options.signal.aborted) throw lastError;
        try {
          return await work();
        } catch (thrown) {
          const error = classifyDatabaseError(thrown);
          if (!isWorthWaiting(error, 0) || givesUp(error, 0) || options.signal.aborted) throw thrown;
          lastError = thrown;
        }
        if (trial === null) return repeat(work, lastError, givesUp);
      }
    },

    /** Tells of the next outage that begins. @returns ends the watch */
    onOutage(tell: () => void): () => void {
      onOpen.add(tell);
      return () => onOpen.delete(tell);
    },
  };
}
