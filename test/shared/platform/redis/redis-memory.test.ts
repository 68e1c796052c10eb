import { expect, test } from 'vitest';
import {
  isAboveShare,
  type MemoryReading,
  parseMemoryInfo,
  planNextLookMs,
} from '../../../../shared/platform/redis/redis-memory.ts';

const mb = 1_000_000;
const used = (usedBytes: number, maxBytes = 100 * mb): MemoryReading => ({ usedBytes, maxBytes });

test('memory: what counts against the bound is read from INFO', () => {
  const info =
    '# Memory\r\nused_memory:2500000\r\nused_memory_rss:9\r\nmaxmemory:4000000\r\nmem_not_counted_for_evict:500000\r\n';
  expect(parseMemoryInfo(info)).toEqual({ usedBytes: 2_000_000, maxBytes: 4_000_000 });
  expect(parseMemoryInfo('used_memory:7\r\nmaxmemory:0\r\n')).toEqual({ usedBytes: 7, maxBytes: 0 });
  expect(parseMemoryInfo('# Memory\r\nused_memory:7\r\n')).toBeNull();
});

test('memory: without a bound nothing is above a share of it', () => {
  expect(isAboveShare(used(81 * mb), 0.8)).toBe(true);
  expect(isAboveShare(used(80 * mb), 0.8)).toBe(false);
  expect(isAboveShare(used(81 * mb, 0), 0.8)).toBe(false);
});

test.each([
  ['nothing is known', null, null, 5_000],
  ['there is no bound', used(1, 0), used(90 * mb, 0), 5_000],
  ['it is above the share', used(1), used(81 * mb), 500],
  ['there was no look before', null, used(mb), 100],
  ['memory falls', used(70 * mb), used(60 * mb), 5_000],
  ['it would be there in a minute', used(19 * mb), used(20 * mb), 5_000],
  ['it would be there in two seconds', used(40 * mb), used(60 * mb), 500],
  ['it would be there at once', used(1), used(79 * mb), 100],
])('memory: the next look when %s', (_when, before, now, expected) => {
  expect(planNextLookMs(before, now, { share: 0.8, betweenMs: 1_000 })).toBe(expected);
});
