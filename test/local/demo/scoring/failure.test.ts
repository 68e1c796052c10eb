import { describe, expect, test } from 'vitest';
import { describeFailure } from '../../../../local/demo/scoring/failure.ts';
import { ScoringError } from '../../../../local/demo/scoring/scoring-error.ts';

describe('failure', () => {
  test.each([
    ['DSL_TIMEOUT', 'timeout'],
    ['DSL_LIMIT_EXCEEDED', 'limit'],
    ['DSL_ARITH_DIV_BY_ZERO', 'error'],
  ] as const)('failure: %s is a %s at its node', (code, status) => {
    const error = new ScoringError({ code, nodeId: 'node', message: 'went wrong' });
    expect(describeFailure(error)).toEqual({
      status,
      errorCode: code,
      errorMessage: 'went wrong',
      failedNodeId: 'node',
    });
  });

  test.each([[new RangeError('went wrong')], ['went wrong']])(
    'failure: %o, no error of the rule language, is unexpected and without a node',
    (error) => {
      expect(describeFailure(error)).toEqual({
        status: 'error',
        errorCode: 'DSL_UNEXPECTED',
        errorMessage: 'went wrong',
        failedNodeId: null,
      });
    },
  );

  test('failure: a scoring error without figures has empty params', () => {
    expect(new ScoringError({ code: 'DSL_TIMEOUT', nodeId: 'node', message: '' }).params).toEqual({});
  });
});
