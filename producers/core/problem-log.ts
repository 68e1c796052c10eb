import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';

/** What the SDK needs of a logger; pino and console fit. */
export interface ProducerLogger {
  warn(fields: object, message: string): void;
}

/** Problems that may occur with every record and must not fill the log. */
export type Problem =
  | 'dropped'
  | 'refused'
  | 'send_failed'
  | 'successes_held_back'
  | 'successes_added'
  | 'metrics_failed'
  | 'spill_full'
  | 'spill_failed'
  | 'spill_lost';

const messages: Record<Exclude<Problem, 'dropped'>, string> = {
  refused: 'Redis permanently refuses records; they are dropped',
  send_failed: 'chunks could not be added to the queue; retrying',
  successes_held_back:
    'Redis uses more than 7/8 of what producers may fill: ok runs are not added for now, failures are; ok runs wait in the buffer, which drops them first, or on disk',
  successes_added: 'Redis has room again: ok runs are added',
  metrics_failed: 'execution metrics could not be updated',
  spill_full: 'the spill directory has reached its size limit; chunks wait in memory',
  spill_failed: 'the spill directory does not work as expected; records that are not on disk wait in memory',
  spill_lost: 'the spill directory contained damaged chunks; they are skipped',
};

const intervalMs = 1_000;

/**
 * Logs each kind of problem at most once a second, with the number since the last line.
 *
 * @param records the kind of records, for the message about drops. @default 'execution'
 */
export function createProblemLog(logger: ProducerLogger, records: 'execution' | 'request' = 'execution') {
  return createThrottledLog<Problem>(intervalMs, (problem, { count, lastError }) => {
    const message = problem === 'dropped' ? `${records} records dropped` : messages[problem];
    logger.warn({ count, ...(lastError === null ? {} : { err: lastError }) }, message);
  });
}

export type ProblemLog = ReturnType<typeof createProblemLog>;
