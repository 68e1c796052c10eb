import {
  type ExecutionRecord,
  findExecutionOddity,
  findRecordProblem,
} from '../../shared/contracts/execution-schema.ts';
import type { RecordKind } from '../ingest/kind.ts';
import { goodExecutions } from './good-records.ts';
import { insertExecutions } from './store.ts';

/** Runs of strategies: rows that are inserted once and never changed. */
export const executionKind: RecordKind = {
  queue: 'execution-log',
  maxRecordBytes: ({ producer }) => producer.recordMaxBytes,
  findProblem: findRecordProblem,
  findOddity: (record, latest) => findExecutionOddity(record as ExecutionRecord, latest),
  store: insertExecutions,
  goodRecords: goodExecutions,
};
