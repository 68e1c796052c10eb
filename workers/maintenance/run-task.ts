import type { Config } from '../../shared/platform/config/config.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import {
  classifyDatabaseError,
  lockNotAvailable,
  queryCanceled,
} from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { retryWhileWorthWaiting } from '../runtime/database-retry.ts';
import type { Task, TaskName, TaskOutcome } from './task.ts';

/** SQLSTATEs of a lock, or a statement, that took too long: the database answers and is busy with something else. */
const busyCodes = [lockNotAvailable, queryCanceled];

/** What a run needs besides the task. */
export interface RunOptions {
  retry: Config['retry'];
  logger: Logger;
  /** ends the run at the next place where it can end */
  signal: AbortSignal;
  /** whether to wait while the database is away, rather than fail */
  waitsForDatabase: boolean;
  onOutage?(begins: boolean): void;
}

/** How a run ended: with the report of the task, or with the reason why there is none, for a person. */
export type RunResult<Report> =
  | { outcome: TaskOutcome; report: Report }
  | { outcome: 'postponed' | 'interrupted' | 'failed'; reason: string };

/**
 * Runs a task to its end. While the database is away, waits for it and begins again, until `signal` aborts. What waiting
 * cannot help ends the run, which comes again in its turn. Never throws.
 */
export async function runTask<Report extends { outcome: TaskOutcome }>(
  name: TaskName,
  task: Task<Report>,
  options: RunOptions,
): Promise<RunResult<Report>> {
  const { retry: backoff, logger, signal, waitsForDatabase, onOutage } = options;
  try {
    const report = await retryWhileWorthWaiting(() => task.run(signal), {
      backoff,
      signal,
      // To try for a lock again at once would hold up the inserts again, and again; a slow statement would be as slow.
      isWorthWaiting: (error) => waitsForDatabase && error.class === 'transient' && !busyCodes.includes(error.code),
      onRetry({ code }, attempt) {
        onOutage?.(true);
        if (attempt === 0) logger.warn({ task: name, code }, 'database is in trouble; the task waits');
      },
      onRecovered: () => logger.info({ task: name }, 'database answers again'),
    });
    return { outcome: report.outcome, report };
  } catch (error) {
    const { class: errorClass, code } = classifyDatabaseError(error);
    const reason = explainDatabaseError(error);
    if (busyCodes.includes(code)) {
      logger.warn(
        { task: name, code },
        'the task needs something that is in use; it runs again at its next scheduled time',
      );
      return { outcome: 'postponed', reason };
    }
    if (errorClass === 'transient' && signal.aborted) return { outcome: 'interrupted', reason };
    logger.error({ task: name, reason, ...(errorClass === 'unknown' ? { err: error } : {}) }, 'task failed');
    return { outcome: 'failed', reason };
  } finally {
    onOutage?.(false);
  }
}
