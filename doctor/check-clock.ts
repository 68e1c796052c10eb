import type { Answer } from './answer.ts';
import type { Finding, findingsOn } from './finding.ts';

/** A server's clock, and this machine's clock before and after the reading, in ms since 1970. */
export interface ClockReading {
  askedAtMs: number;
  answeredAtMs: number;
  serverMs: number;
}

const warnAboveSeconds = 2;
const failAboveSeconds = 60;

/** At least how many seconds the server's clock is ahead (negative: behind), whenever in the round trip it was read. */
export function skewSeconds({ askedAtMs, answeredAtMs, serverMs }: ClockReading): number {
  if (serverMs > answeredAtMs) return (serverMs - answeredAtMs) / 1_000;
  if (serverMs < askedAtMs) return (serverMs - askedAtMs) / 1_000;
  return 0;
}

/** Ids, a row's partition and the age of a job come from clocks, so the machines' clocks must agree. */
export function checkClock(on: ReturnType<typeof findingsOn>, reading: Answer<ClockReading>): Finding {
  if (!reading.known)
    return on.warning('clock', `could not be read: ${reading.why}`, 'compare the clocks of the machines by hand');
  const skew = skewSeconds(reading.value);
  const seconds = Math.abs(skew).toFixed(1);
  const message = `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} this machine's`;
  const remedy = 'synchronise both machines with NTP: ids and the partition of a row depend on the time';
  if (Math.abs(skew) > failAboveSeconds) return on.failure('clock', message, remedy);
  if (Math.abs(skew) > warnAboveSeconds) return on.warning('clock', message, remedy);
  return on.ok('clock', skew === 0 ? "agrees with this machine's" : message);
}
