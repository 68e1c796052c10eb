import { createThrottledLog } from '../shared/throttled-log.ts';

/** What the SDK needs of a logger; pino's and console's fit. */
export interface ProducerLogger {
  warn(fields: object, message: string): void;
}

/** The kinds of trouble that come once per record and must not fill the log. */
export type Problem =
  | 'dropped'
  | 'refused'
  | 'send_failed'
  | 'metrics_failed'
  | 'spill_full'
  | 'spill_failed'
  | 'spill_lost';

const messages: Record<Exclude<Problem, 'dropped'>, string> = {
  refused: 'records are refused by Redis for good, they are left out',
  send_failed: 'chunks could not be added to the queue, trying again',
  metrics_failed: 'execution metrics could not be updated',
  spill_full: 'the spill directory is at its bound, chunks wait in memory',
  spill_failed: 'the spill directory cannot be used as it should, what is not on disk waits in memory',
  spill_lost: 'the spill directory held chunks that are damaged, they are left out',
};

const intervalMs = 1_000;

/**
 * Logs each kind of problem at most once a second, with the number since the last line.
 *
 * @param records what kind of records is dropped. @default 'execution'
 */
export function createProblemLog(logger: ProducerLogger, records: 'execution' | 'request' = 'execution') {
  return createThrottledLog<Problem>(intervalMs, (problem, { count, lastError }) => {
    const message = problem === 'dropped' ? `${records} records dropped` : messages[problem];
    logger.warn({ count, ...(lastError === null ? {} : { err: lastError }) }, message);
  });
}

export type ProblemLog = ReturnType<typeof createProblemLog>;
