import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginProgress, findStuckness, noteProgress, type Observation } from '../../../workers/runtime/progress.ts';

const limitMs = 100;

/** What is found after observations ten milliseconds apart. */
function stuckAfter(observations: Partial<Observation>[]): string | null {
  let progress = beginProgress(0);
  for (const [index, observation] of observations.entries()) {
    progress = noteProgress(
      progress,
      { atMs: (index + 1) * 10, settledJobs: 0, hasBacklog: true, exemption: null, ...observation },
      limitMs,
    );
  }
  return findStuckness(progress, limitMs);
}

const repeat = (times: number, observation: Partial<Observation> = {}) =>
  Array.from({ length: times }, () => ({ ...observation }));

test('progress: a worker that has just begun is fine', () => {
  expect(stuckAfter([])).toBeNull();
});

test('progress: work that waits, nothing in the way, and nothing settled for the whole time is being stuck', () => {
  expect(stuckAfter(repeat(9))).toBeNull();
  expect(stuckAfter(repeat(10))).toBe(
    'stuck: jobs are waiting and PostgreSQL answers, but nothing has been settled for 0 s',
  );
});

test.each<[string, Partial<Observation>]>([
  ['one settled job', { settledJobs: 1 }],
  ['a moment without backlog', { hasBacklog: false }],
  ['a moment of an outage elsewhere', { exemption: 'PostgreSQL does not answer' }],
])('progress: %s begins the time anew', (_what, observation) => {
  const { settledJobs = 0 } = observation;
  const after = repeat(9, { settledJobs });
  expect(stuckAfter([...repeat(9), observation, ...after])).toBeNull();
  expect(stuckAfter([...repeat(9), observation, ...after, { settledJobs }])).not.toBeNull();
});

test('progress: an observation that comes late says nothing about the time between', () => {
  expect(stuckAfter([...repeat(5), { atMs: 10_000 }])).toBeNull();
});

test('progress: an idle queue or an outage elsewhere is never a reason, however long it lasts', () => {
  const exempt = fc
    .record({ hasBacklog: fc.boolean(), exemption: fc.option(fc.constant('outage')) })
    .filter(({ hasBacklog, exemption }) => !hasBacklog || exemption !== null);
  fc.assert(fc.property(fc.array(exempt, { maxLength: 60 }), (observations) => stuckAfter(observations) === null));
});
