import { expect, test } from 'vitest';
import { createHeartbeatWatch } from '../../../producers/spill/heartbeat-watch.ts';

const timing = { heartbeatMs: 5, silentAfterMs: 30, lookMs: 10 };

/** A watch with a clock that the test moves. */
function aWatch() {
  let nowMs = 0;
  const watch = createHeartbeatWatch(timing, () => nowMs);
  return {
    watch,
    /** Looks after some time. */
    look(afterMs: number, heartbeat: string, owner = 'a'): boolean {
      nowMs += afterMs;
      return watch.isSilent(owner, heartbeat);
    },
  };
}

test('watch: an owner that is seen for the first time counts as living, however old its heartbeat is', () => {
  const { look } = aWatch();
  expect(look(1_000_000, 'of last year')).toBe(false);
  expect(look(9, 'of last year')).toBe(false);
});

test('watch: an owner whose heartbeat has not changed while it was watched for long enough counts as dead', () => {
  const { look } = aWatch();
  expect([0, 10, 10, 9, 1].map((afterMs) => look(afterMs, 's'))).toEqual([false, false, false, false, true]);
});

test('watch: every change counts, also one to an earlier time', () => {
  const { look } = aWatch();
  for (let heartbeat = 100; heartbeat > 0; heartbeat -= 1) expect(look(20, String(heartbeat))).toBe(false);
});

test('watch: a stretch in which nobody looked is no proof: both may have been suspended', () => {
  const { look } = aWatch();
  look(0, 's');
  expect(look(1_000_000, 's')).toBe(false);
  expect(look(10, 's')).toBe(true);
});

test('watch: owners are told apart, and those that are gone are forgotten', () => {
  const { look, watch } = aWatch();
  look(0, 's', 'a');
  look(0, 's', 'b');
  look(20, 's', 'a');
  watch.keepOnly(['b']);
  expect(look(20, 's', 'a')).toBe(false);
  look(0, 's', 'b');
  expect(look(20, 's', 'b')).toBe(true);
});
