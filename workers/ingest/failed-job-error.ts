import { UnrecoverableError } from 'bullmq';
import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { parseChunk } from '../../shared/contracts/parse-chunk.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';

/** Its records could not be stored, for a reason that neither waiting nor taking the batch apart can help. */
export class FailedJobError extends UnrecoverableError {
  readonly code: string;
  /** 0 when it is not known how many */
  readonly records: number;

  constructor(code: string, explanation: string, records: number) {
    super(`records could not be stored: ${explanation}`);
    this.code = code;
    this.records = records;
  }
}

/** Nothing that is known here: most likely a bug. @param raw the job's data */
export function failureOf(raw: string, error: unknown): FailedJobError {
  return new FailedJobError(classifyDatabaseError(error).code, explainDatabaseError(error), countRecords(raw));
}

function countRecords(raw: string): number {
  const compressed = readCompressedChunk(raw);
  if (compressed !== null) return compressed.count;
  const chunk = parseChunk(jsonOrNull(raw));
  return chunk.kind === 'chunk' ? chunk.chunk.records.length : 1;
}
