import { expect, test } from 'vitest';
import { cutIntoBuckets, windowOfBucket } from '../../../queries/executions/buckets.ts';
import { parseWindow } from '../../../queries/executions/window.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

const nowMs = Date.parse('2026-03-02T00:00:00Z');
const at = (text: string): Date => new Date(text);

test('window: nothing asked is the last 24 hours', () => {
  expect(parseWindow({}, nowMs)).toEqual({ since: at('2026-03-01T00:00:00Z'), until: at('2026-03-02T00:00:00Z') });
});

test('window: a name counts back from until', () => {
  expect(parseWindow({ window: '7d', until: '2026-01-08T00:00:00Z' }, nowMs).since).toEqual(at('2026-01-01T00:00:00Z'));
});

test('window: all begins with the oldest row, whichever way it is said', () => {
  expect(parseWindow({ since: 'all' }, nowMs)).toEqual({ since: null, until: new Date(nowMs) });
  expect(parseWindow({ window: 'all' }, nowMs)).toEqual({ since: null, until: new Date(nowMs) });
});

test('window (47): times are ISO 8601, with an offset or as a day in UTC', () => {
  const { since, until } = parseWindow({ since: '2026-02-01', until: '2026-02-01T02:00:00+01:00' }, nowMs);
  expect([since, until]).toEqual([at('2026-02-01T00:00:00Z'), at('2026-02-01T01:00:00Z')]);
});

test.each([
  { since: 'yesterday' },
  { since: '2026-02-30T99:00:00Z' },
  { since: '2026-02-30T09:00:00Z' },
  { since: '2026-04-31' },
  { since: '2026-02-01T00:00:00' },
  { since: '1e3' },
  { since: '+275760-09-13T00:00:00Z' },
  { window: '2h' },
  { window: 'constructor' },
  { window: '1h', since: '2026-01-01T00:00:00Z' },
  { since: '2026-03-02T00:00:00Z' },
  { since: '2026-03-01T00:00:00Z', until: '2026-02-01T00:00:00Z' },
])('window: %j is refused', (texts) => {
  expect(() => parseWindow(texts, nowMs)).toThrow(UsageError);
});

test('buckets: 24 hours are cut into halves of an hour', () => {
  const buckets = cutIntoBuckets({ since: at('2026-03-01T00:00:00Z'), until: at('2026-03-02T00:00:00Z') });
  expect(buckets).toEqual({ bucketMs: 1_800_000, firstMs: Date.parse('2026-03-01T00:00:00Z'), count: 48 });
});

test('buckets: they begin at whole multiples, and the outer ones end with the window', () => {
  const window = { since: at('2026-03-01T00:07:00Z'), until: at('2026-03-01T02:20:00Z') };
  const buckets = cutIntoBuckets(window, 3_600_000);
  expect(buckets.count).toBe(3);
  expect([0, 1, 2].map((index) => windowOfBucket(buckets, window, index))).toEqual([
    { since: window.since, until: at('2026-03-01T01:00:00Z') },
    { since: at('2026-03-01T01:00:00Z'), until: at('2026-03-01T02:00:00Z') },
    { since: at('2026-03-01T02:00:00Z'), until: window.until },
  ]);
});

test.each([1, 60_000, 86_400_000, 400 * 86_400_000, 50 * 365 * 86_400_000])(
  'buckets: a window of %d ms has from 1 to 60 when none are asked for',
  (lengthMs) => {
    const until = at('2026-03-01T00:00:00.500Z');
    const { count } = cutIntoBuckets({ since: new Date(until.getTime() - lengthMs), until });
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(60);
  },
);

test('buckets: a length of no whole second and more than 500 of them are refused', () => {
  const window = { since: at('2026-03-01T00:00:00Z'), until: at('2026-03-01T01:00:00Z') };
  for (const bucketMs of [0, -1_000, 1_500, Number.NaN, 7_000]) {
    expect(() => cutIntoBuckets(window, bucketMs)).toThrow(UsageError);
  }
  expect(cutIntoBuckets(window, 8_000).count).toBe(450);
});
