import { expect, test } from 'vitest';
import { checkClock, skewSeconds } from '../../doctor/check-clock.ts';
import { findingsOn } from '../../doctor/finding.ts';

/** A round trip of 400 ms. */
const between = { askedAtMs: 10_000, answeredAtMs: 10_400 };

test.for([
  [10_000, 0],
  [10_200, 0],
  [10_400, 0],
  [11_400, 1],
  [9_000, -1],
] as const)(
  'clock: a server that said %i in a round trip from 10000 to 10400 is off by %i s at the least',
  ([serverMs, skew]) => {
    expect(skewSeconds({ ...between, serverMs })).toBe(skew);
  },
);

test.for([
  [10_400 + 2_000, 'ok', '2.0 s ahead'],
  [10_400 + 2_001, 'warning', '2.0 s ahead'],
  [10_000 - 2_001, 'warning', '2.0 s behind'],
  [10_400 + 60_000, 'warning', '60.0 s'],
  [10_400 + 60_001, 'failure', 'NTP'],
  [10_000 - 60_001, 'failure', 'behind'],
] as const)('clock: a server that said %i is a(n) %s that says "%s"', ([serverMs, level, says]) => {
  const finding = checkClock(findingsOn('redis'), { known: true, value: { ...between, serverMs } });
  expect(finding.level).toBe(level);
  expect(`${finding.message} ${finding.remedy}`).toContain(says);
});
