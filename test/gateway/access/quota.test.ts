import { expect, test } from 'vitest';
import { createQuota } from '../../../gateway/access/quota.ts';

const perSecond = (recordsPerSecond: number | null, bytesPerSecond: number | null = null) => ({
  recordsPerSecond,
  bytesPerSecond,
});

test('quota: two seconds are saved up, what is beyond them is waited for, and no more is owed than was taken', () => {
  let nowMs = 0;
  const quota = createQuota(() => nowMs);
  expect(quota.waitSeconds(perSecond(100))).toBe(0);
  quota.tookRecords(199);
  expect(quota.waitSeconds(perSecond(100))).toBe(0);
  quota.tookRecords(301);
  expect(quota.waitSeconds(perSecond(100))).toBe(3);
  nowMs += 2_500;
  expect(quota.waitSeconds(perSecond(100))).toBe(0.5);
  nowMs += 501;
  expect(quota.waitSeconds(perSecond(100))).toBe(0);
  nowMs += 3_600_000;
  expect(quota.waitSeconds(perSecond(100))).toBe(0);
  quota.tookRecords(200);
  expect(quota.waitSeconds(perSecond(100))).toBeGreaterThan(0);
});

test('quota: records and bytes count for themselves, the longer wait holds, and without a quota nothing is owed', () => {
  const quota = createQuota(() => 0);
  expect(quota.waitSeconds(perSecond(10, 1_000))).toBe(0);
  quota.tookRecords(40);
  quota.tookBytes(12_000);
  expect(quota.waitSeconds(perSecond(10, 1_000))).toBe(10);
  expect(quota.waitSeconds(perSecond(10))).toBe(2);
  expect(quota.waitSeconds(perSecond(null))).toBe(0);
});
