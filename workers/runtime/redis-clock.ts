import { setTimeout as sleep } from 'node:timers/promises';
import { answerWithin } from '../../shared/platform/deadline.ts';
import { nodeOf } from '../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';

/** How often Redis is asked for the time. Two quartz clocks drift apart by some milliseconds in that time. */
const everyMs = 60_000;
/** As long as it has never been told. */
const firstEveryMs = 1_000;
const answerWithinMs = 1_000;

/**
 * The clock of Redis, which all workers share whatever their own clocks say. Asked for now and then; between that a clock
 * runs on that does not jump, so that nobody waits for it. Until Redis has told it for the first time, it is this process's.
 *
 * @param key whose server is asked: those of a cluster have clocks of their own
 */
export function createRedisClock(redis: Redis, key: string) {
  /** of Redis' time over `performance.now` */
  let aheadMs: number | null = null;

  // One question at a time: those to a server that is away would pile up.
  const askServer = singleFlight(async (): Promise<void> => {
    const node = await nodeOf(redis, key);
    const askedAtMs = performance.now();
    const [seconds, microseconds] = await node.time();
    const answeredAtMs = performance.now();
    // An answer that was long in coming tells little. The next one will be quicker.
    if (answeredAtMs - askedAtMs > answerWithinMs) return;
    const serverMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    aheadMs = serverMs - (askedAtMs + answeredAtMs) / 2;
  });
  const ask = (): Promise<unknown> => answerWithin(answerWithinMs, askServer);

  return {
    /** whether Redis has told it */
    get isTold(): boolean {
      return aheadMs !== null;
    },
    /** ms since 1970 */
    now: (): number => (aheadMs === null ? Date.now() : performance.now() + aheadMs),
    /** Asks for the first time, which takes a second at most, and then until `signal` aborts. */
    async start(signal: AbortSignal): Promise<void> {
      const askAgain = async (): Promise<void> => {
        while (!signal.aborted) {
          const waitMs = aheadMs === null ? firstEveryMs : everyMs;
          await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
          if (!signal.aborted) await ask();
        }
      };
      await ask();
      void askAgain();
    },
  };
}

export type RedisClock = ReturnType<typeof createRedisClock>;
