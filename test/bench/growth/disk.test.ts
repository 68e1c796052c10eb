import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { checkDisk, neededBytes } from '../../../bench/growth/disk.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

test('disk for growth: ten million rows take 27 GB, and the steady load comes after they are gone', () => {
  expect(neededBytes({ mostRows: 10_000_000, minutes: 0 })).toBe(27_000_000_000);
  expect(neededBytes({ mostRows: 10_000_000, minutes: 30 })).toBe(27_000_000_000);
  expect(neededBytes({ mostRows: 0, minutes: 30 })).toBe(24_700_000_000);
});

test('disk for growth: what no disk holds is refused before anything is made, with what is needed and what helps', async () => {
  const tooMuch = checkDisk(tmpdir(), { mostRows: 1_000_000_000_000, minutes: 0 });
  await expect(tooMuch).rejects.toThrow(UsageError);
  await expect(tooMuch).rejects.toThrow(/ GB free, and this takes 2300004 GB; choose smaller --rows .*TMPDIR/);
});
