import { ScoringError } from './scoring-error.ts';

/** What an execution record says about a run that failed. */
export type Failure = {
  status: 'error' | 'timeout' | 'limit';
  errorCode: string;
  errorMessage: string;
  /** Null when no node of the program was at work, as in a failing built-in parent. */
  failedNodeId: string | null;
};

/** Sorts whatever `evaluate` threw into a status and a code; what is not a `ScoringError` is `DSL_UNEXPECTED`. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ScoringError) {
    return {
      status: toStatus(error),
      errorCode: error.code,
      errorMessage: error.message,
      failedNodeId: error.nodeId,
    };
  }
  const errorMessage = error instanceof Error ? error.message : String(error);
  return { status: 'error', errorCode: 'DSL_UNEXPECTED', errorMessage, failedNodeId: null };
}

function toStatus(error: ScoringError): Failure['status'] {
  if (error.code === 'DSL_TIMEOUT') return 'timeout';
  if (error.code === 'DSL_LIMIT_EXCEEDED') return 'limit';
  return 'error';
}
