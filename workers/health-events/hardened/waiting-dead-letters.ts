import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { describeDatabaseError } from '../../../shared/platform/postgres/explain-database-error.ts';
import { singleFlight } from '../../../shared/platform/single-flight.ts';
import type { Position } from './stream-entry.ts';

const retryEveryMs = 1_000;
/** Dead letters that wait at most, and characters of their payloads: beyond it the stream waits with them. */
const maxDeadLetters = 1_000;
const maxChars = 32 * 1_024 * 1_024;

/**
 * Dead letters that could not be written for a trouble of their own table, and dead letters that could not be noted as stored. Events go
 * on meanwhile; the place that is stored stays where it was when the first one had to wait, so that a worker that dies reads
 * their entries again.
 */
export function createWaitingDeadLetters(deps: {
  logger: Logger;
  store(deadLetters: readonly DeadLetter[]): Promise<void>;
  markStored(deadLetterIds: readonly string[]): Promise<void>;
  /** told when all are written after some had to wait */
  onWritten(): void;
}) {
  const { logger } = deps;
  let deadLetters: DeadLetter[] = [];
  let deadLetterIds: string[] = [];
  let chars = 0;
  let heldAt: Position | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const isEmpty = (): boolean => deadLetters.length === 0 && deadLetterIds.length === 0;

  const writeAll = async (): Promise<boolean> => {
    const [someDeadLetters, someIds] = [deadLetters, deadLetterIds];
    try {
      if (someDeadLetters.length > 0) await deps.store(someDeadLetters);
      deadLetters = deadLetters.slice(someDeadLetters.length);
      chars = deadLetters.reduce((sum, { payload }) => sum + payload.length, 0);
      if (someIds.length > 0) await deps.markStored(someIds);
      deadLetterIds = deadLetterIds.slice(someIds.length);
    } catch {
      return false;
    }
    if (!isEmpty()) return false;
    heldAt = null;
    logger.info('dead letters can be written again');
    deps.onWritten();
    return true;
  };

  /** One at a time. */
  const write = singleFlight(writeAll);

  const retry = (): void => {
    if (isClosed || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      void write().finally(() => {
        if (!isEmpty()) retry();
      });
    }, retryEveryMs);
    timer.unref();
  };

  return {
    get isEmpty(): boolean {
      return isEmpty();
    },

    /** No more can wait. */
    get isFull(): boolean {
      return deadLetters.length >= maxDeadLetters || chars >= maxChars;
    },

    /** The place that is to be stored while dead letters wait. */
    get heldAt(): Position | null {
      return heldAt;
    },

    /** @param at the place before their entries, or an earlier one; needed for dead letters only */
    add(
      more: { deadLetters?: readonly DeadLetter[]; deadLetterIds?: readonly string[] },
      at: Position | null,
      thrown: unknown,
    ) {
      if (isEmpty()) {
        const { message: reason, ...facts } = describeDatabaseError(thrown);
        logger.error({ ...facts, reason }, 'dead letters cannot be written; they wait, and the stream continues');
      }
      deadLetters = [...deadLetters, ...(more.deadLetters ?? [])];
      deadLetterIds = [...deadLetterIds, ...(more.deadLetterIds ?? [])];
      chars = deadLetters.reduce((sum, { payload }) => sum + payload.length, 0);
      heldAt ??= at;
      retry();
    },

    /** Tries to write what waits. @returns whether nothing waits any more */
    async flush(): Promise<boolean> {
      return isEmpty() || (await write());
    },

    close(): void {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
