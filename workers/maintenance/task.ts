import type { Config } from '../../shared/platform/config/config.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { CopyProgress } from './past/copy-rows.ts';

/** The tasks, in the order in which they are run by hand. */
export const taskNames = ['partitions', 'retention', 'purge', 'facts'] as const;
export type TaskName = (typeof taskNames)[number];

/** How a run of a task ended. */
export type TaskOutcome =
  | 'done'
  /** something was locked by somebody else and is tried again at the next run */
  | 'postponed'
  /** nothing was done, since it could have been wrong */
  | 'refused'
  /** it was asked to stop in the middle; what it had done stays done */
  | 'interrupted'
  /** some of it could not be done, and needs a person */
  | 'failed';

/** What tasks work with. */
export interface TaskDeps {
  config: Pick<Config, 'database' | 'retention'>;
  database: Database;
  logger: Logger;
  /** the worker's clock, in ms since 1970; decides nothing, but is compared with the database's before anything is deleted */
  now: () => number;
  /** told of every partition that is gone */
  onDropped(partition: string): void;
  /** told of every partition whose rows are in an archive now, and of each try that failed */
  onArchived(result: 'archived' | 'failed'): void;
  /** told of every batch of rows that was copied out of the DEFAULT partition */
  onMoving?(progress: CopyProgress): void;
  /** told of rows that are in partitions of their own now */
  onMoved?(rows: number): void;
  /** told of every batch of rows that is gone */
  onPurged(table: string, rows: number): void;
  /** told of every batch of requests whose bodies were read, since no worker had */
  onFactsRead?(rows: number): void;
  /** told of rows that are gone sooner after they were stored than they are to be kept */
  onEarly(table: string, rows: number): void;
}

/** Work that comes again and again. It may run at any number of places at once, and break off anywhere. */
export interface Task<Report extends { outcome: TaskOutcome }> {
  /** @throws what the database said, when waiting may help or it refuses everything */
  run(signal: AbortSignal): Promise<Report>;
  /** What a run would do now. Changes nothing. */
  preview(): Promise<object>;
}
