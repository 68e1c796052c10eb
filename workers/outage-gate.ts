import { type ClassifiedDatabaseError, classifyDatabaseError, isOfOneStatement } from '../shared/database-errors.ts';
import { isWorthWaiting, type RetryOptions, retryWhileWorthWaiting } from './retry.ts';

/** Statements that share a fate: while one of them waits for the database, the others wait for that one. */
export type OutageGate = ReturnType<typeof createOutageGate>;

/** The time was up before a statement had an answer. What became of it nobody knows. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('the time to settle things is up');
  }
}

/**
 * Keeps an outage from being met by everything at once. The first statement that fails so that waiting can help is the
 * trial: it alone is repeated, and all others wait, those that had failed beside it included. When it gets through, or
 * is refused for what is in it, the database answers, and the others go on.
 *
 * An error that is of one statement, such as a lock that it did not get, is no outage: whoever runs it has to decide.
 */
export function createOutageGate(options: Omit<RetryOptions, 'isWorthWaiting'>) {
  const { signal } = options;
  let trial: Promise<void> | null = null;
  const onOpen = new Set<() => void>();

  const isOutage = (error: ClassifiedDatabaseError): boolean => isWorthWaiting(error) && !isOfOneStatement(error);

  /** One attempt. Nobody waits for its answer when the time is up: repeating it later changes nothing. */
  const attempt = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new StoppedError());
      const onAbort = (): void => reject(new StoppedError());
      // Taken off again: a race against one promise for all attempts would remember each of them.
      signal.addEventListener('abort', onAbort, { once: true });
      work()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onAbort));
    });

  const repeat = async <T>(work: () => Promise<T>, firstError: unknown): Promise<T> => {
    let failFirst = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    trial = promise;
    for (const tell of onOpen) tell();
    try {
      return await retryWhileWorthWaiting(
        async () => {
          if (!failFirst) return attempt(work);
          failFirst = false;
          throw firstError;
        },
        { ...options, isWorthWaiting: isOutage },
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
     * Does `work`, however often and late.
     *
     * @throws what waiting cannot help or what is of this statement alone; when the time is up, StoppedError or what it met
     */
    async run<T>(work: () => Promise<T>): Promise<T> {
      for (;;) {
        while (trial !== null) await trial;
        let error: unknown;
        try {
          return await attempt(work);
        } catch (thrown) {
          if (!isOutage(classifyDatabaseError(thrown)) || signal.aborted) throw thrown;
          error = thrown;
        }
        if (trial === null) return repeat(work, error);
      }
    },

    /** Tells of the outage that there is, or of the next one that begins. @returns ends the watch */
    onOutage(tell: () => void): () => void {
      if (trial !== null) tell();
      onOpen.add(tell);
      return () => onOpen.delete(tell);
    },
  };
}
