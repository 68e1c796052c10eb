import { describe, expect, test } from 'vitest';
import { createCommittedRows } from '../../../../workers/health-events/outbox/committed-rows.ts';
import type { OutboxRow } from '../../../../workers/health-events/outbox/outbox.ts';

const rows = (...seqs: number[]): OutboxRow[] =>
  seqs.map((seq) => ({
    seq,
    snapshot: {
      gameId: 'game-1',
      currentTurn: seq,
      runtimeStatus: 'running',
      engineHealthSummary: 'healthy',
      occurredAtMs: 5,
    },
  }));

/** Commits, one after the other. */
function committed(limit: number, ...commits: number[][]) {
  const kept = createCommittedRows(limit);
  for (const seqs of commits) kept.add(rows(...seqs));
  return kept;
}

describe('rows that were committed just now', () => {
  test.each([
    ['right after the place: all of them', [[8, 9], [10]], 7, [8, 9, 10]],
    ['those that were published meanwhile are left out', [[8, 9], [10]], 9, [10]],
    ['all published: none', [[8, 9]], 9, []],
    ['another row may be before them: none', [[9, 10]], 7, []],
    ['another row may be between them: none', [[8], [10]], 7, []],
    ['more than are kept: none', [[8, 9, 10], [11]], 7, []],
  ])('%s', (_, commits, place, expected) => {
    expect(committed(3, ...commits).takeAfter(place)).toEqual(rows(...expected));
  });

  test('are handed out once', () => {
    const kept = committed(3, [8]);
    expect(kept.takeAfter(7)).toEqual(rows(8));
    expect(kept.takeAfter(7)).toEqual([]);
  });

  test('of a commit after too many: they are kept again', () => {
    const kept = committed(3, [8, 9], [10, 11], [12]);
    expect(kept.takeAfter(11)).toEqual(rows(12));
  });
});
