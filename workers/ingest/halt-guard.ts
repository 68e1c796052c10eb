import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createDeadRatioGuard, type DeadRatioLimits } from './dead-ratio-guard.ts';

/** Knows whether a worker has stopped taking jobs by itself. */
export type HaltGuard = ReturnType<typeof createHaltGuard>;

const messages = {
  dead: 'too many of the recent records are dead; this worker takes no more jobs. Check the dead letters, fix the cause, and restart the worker',
  failed:
    'too many of the recent jobs failed; this worker takes no more jobs. Check the failed jobs, fix the cause, and restart the worker',
};

/** Halts a worker when too many records turn out dead or fail: the cause is most likely not in the records. @param pause takes no more jobs */
export function createHaltGuard(limits: DeadRatioLimits, logger: Logger, pause: () => Promise<void>) {
  const dead = createDeadRatioGuard(limits);
  // The failed set is bounded: what fails every job would delete a day of them.
  const failed = createDeadRatioGuard(limits);
  let isHalted = false;

  const halt = (why: keyof typeof messages): void => {
    if (isHalted) return;
    isHalted = true;
    logger.error(messages[why]);
    pause().catch((error: unknown) => logger.error({ err: error }, 'worker could not be paused'));
  };

  return {
    get isHalted(): boolean {
      return isHalted;
    },
    noteDead(records: number, deadRecords: number): void {
      if (dead.note(records, deadRecords)) halt('dead');
    },
    takeBackDead: dead.takeBack,
    noteFailed(records: number): void {
      if (failed.note(records, records)) halt('failed');
    },
    noteSettled(records: number): void {
      failed.note(records, 0);
    },
  };
}
