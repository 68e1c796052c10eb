import type { QueueName } from '../../shared/contracts/queues.ts';

/** The queue that this worker consumes. */
export const executionLogQueue: QueueName = 'execution-log';
