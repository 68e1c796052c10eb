import { expect, test } from 'vitest';
import { heapFlagFor } from '../../../shared/platform/container-heap.ts';

const mib = 1_048_576;
const machine = { totalBytes: 16_384 * mib, flags: [] };

test.each([
  [256, '--max-old-space-size=153'],
  [512, '--max-old-space-size=307'],
  [2_048, '--max-old-space-size=1228'],
])('container heap: of %i MiB the heap gets three fifths', (allowedMib, flag) => {
  expect(heapFlagFor({ ...machine, allowedBytes: allowedMib * mib })).toBe(flag);
});

test.each([
  ['there is none', 0],
  ['it is what there is', 16_384 * mib],
  // What Node says of a cgroup of version 1 without a limit.
  ['it is beyond what there is', 2 ** 64],
])('container heap: where the limit is none, as %s, V8 decides', (_what, allowedBytes) => {
  expect(heapFlagFor({ ...machine, allowedBytes })).toBeNull();
});

test.each([
  ['--max-old-space-size=100'],
  ['--max_old_space_size=100'],
  ['--max-old-space-size-percentage=50'],
  ['--max-heap-size=100'],
  ['--enable-source-maps --max-old-space-size=100'],
])('container heap: what somebody has set stays: %s', (flag) => {
  expect(heapFlagFor({ ...machine, allowedBytes: 512 * mib, flags: ['--import=x', flag] })).toBeNull();
});
