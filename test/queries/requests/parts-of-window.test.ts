import { expect, test } from 'vitest';
import { cutIntoBuckets } from '../../../queries/executions/buckets.ts';
import { cutIntoParts } from '../../../queries/requests/parts-of-window.ts';

const minute = 60_000;
const window = { since: new Date(2.5 * minute), until: new Date(5.5 * minute) };

test('parts of a window: it is cut where a bucket begins and where a price changes, once where both do', () => {
  const changes = [2.75 * minute, 4 * minute];
  expect(cutIntoParts(window, cutIntoBuckets(window, minute), changes)).toEqual([
    { fromMs: 2.5 * minute, bucketMs: 2 * minute, pricedAtMs: 2.5 * minute },
    { fromMs: 2.75 * minute, bucketMs: 2 * minute, pricedAtMs: 2.75 * minute },
    { fromMs: 3 * minute, bucketMs: 3 * minute, pricedAtMs: 2.75 * minute },
    { fromMs: 4 * minute, bucketMs: 4 * minute, pricedAtMs: 4 * minute },
    { fromMs: 5 * minute, bucketMs: 5 * minute, pricedAtMs: 4 * minute },
  ]);
});

test('parts of a window: without buckets it is cut by prices only, and is whole if none changes', () => {
  expect(cutIntoParts(window, null, [3 * minute])).toEqual([
    { fromMs: 2.5 * minute, bucketMs: null, pricedAtMs: 2.5 * minute },
    { fromMs: 3 * minute, bucketMs: null, pricedAtMs: 3 * minute },
  ]);
  expect(cutIntoParts(window, null, [])).toEqual([{ fromMs: 2.5 * minute, bucketMs: null, pricedAtMs: 2.5 * minute }]);
});
