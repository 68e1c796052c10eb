import { describe, expect, test } from 'vitest';
import { builtIns, scoreByDefault } from '../../../demo/scoring/built-ins.ts';

const score = (data: Record<string, unknown>) =>
  scoreByDefault({ externalGameId: 'game-1', externalTaskId: 'task-1', externalUserId: 'user-1', data });

describe('built-ins', () => {
  test('built-ins: default is found by its name', () => {
    expect(builtIns.get('default')).toBe(scoreByDefault);
  });

  test.each([
    [
      { contributions: 2, minutes: 1, meanMinutes: 9 },
      { points: 1, caseName: 'NEWCOMER' },
    ],
    [
      { contributions: 3, minutes: 1, meanMinutes: 9 },
      { points: 3, caseName: 'QUICKER_THAN_USUAL' },
    ],
    [
      { contributions: 3, minutes: 9, meanMinutes: 9 },
      { points: 2, caseName: 'STEADY' },
    ],
    [{ contributions: 3 }, { points: 2, caseName: 'STEADY' }],
  ])('built-ins: default gives %o its points', (data, expected) => {
    expect(score(data)).toEqual(expected);
  });

  test.each([[-1], [1.5], ['3'], [undefined]])('built-ins: default fails on %o contributions', (contributions) => {
    expect(() => score({ contributions })).toThrow('contributions must be a count');
  });
});
