/**
 * Why a run can fail. Upstream's names, except the last two: upstream has no `repeat`,
 * and stores a failed function call under the name of its exception class.
 */
export type ScoringErrorCode =
  | 'DSL_TIMEOUT'
  | 'DSL_LIMIT_EXCEEDED'
  | 'DSL_ARITH_DIV_BY_ZERO'
  | 'DSL_ARITH_TYPE_MISMATCH'
  | 'DSL_ARITH_OP_NOT_ALLOWED'
  | 'DSL_COMPARE_TYPE_MISMATCH'
  | 'DSL_COMPARE_OP_NOT_ALLOWED'
  | 'DSL_FUNC_NAME_NOT_ALLOWED'
  | 'DSL_FUNC_ARITY_MISMATCH'
  | 'DSL_ASSIGN_POINTS_NOT_NUMBER'
  | 'DSL_SET_POINTS_NOT_NUMBER'
  | 'DSL_SET_CASE_NAME_NOT_STRING'
  | 'DSL_FIELD_NOT_PRECOMPUTED'
  | 'DSL_UNKNOWN_STATEMENT'
  | 'DSL_UNKNOWN_EXPRESSION'
  | 'DSL_REPEAT_COUNT_NOT_NUMBER'
  | 'DSL_FUNC_CALL_FAILED';

/** A run that failed for a reason of the rule language: what, at which node, and the values behind it. */
export class ScoringError extends Error {
  readonly code: ScoringErrorCode;
  readonly nodeId: string;
  readonly params: Readonly<Record<string, unknown>>;

  constructor(failure: {
    code: ScoringErrorCode;
    nodeId: string;
    message: string;
    params?: Readonly<Record<string, unknown>>;
  }) {
    super(failure.message);
    this.name = 'ScoringError';
    this.code = failure.code;
    this.nodeId = failure.nodeId;
    this.params = failure.params ?? {};
  }
}
