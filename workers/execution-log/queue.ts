import {
  type ExecutionRecord,
  findExecutionOddity,
  findRecordProblem,
} from '../../shared/contracts/execution-schema.ts';
import type { QueueDefinition } from '../ingest/queue-definition.ts';
import { executionCopy } from './copy.ts';
import { goodExecutions } from './good-records.ts';
import { insertExecutions } from './store.ts';

/** Runs of strategies: rows that are inserted once and never changed. */
export const executionLogQueue: QueueDefinition = {
  queue: 'execution-log',
  maxRecordBytes: ({ producer }) => producer.recordMaxBytes,
  findProblem: findRecordProblem,
  findOddity: (record, latest) => findExecutionOddity(record as ExecutionRecord, latest),
  copy: executionCopy,
  store: insertExecutions,
  goodRecords: goodExecutions,
};
