import { setTimeout as sleep } from 'node:timers/promises';
import { parseMemoryInfo } from '../../shared/platform/redis/redis-memory.ts';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import type { Testbed } from '../testbed.ts';
import { untilTrue } from './fault-fleet.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

/** Less than the jobs of an outage take: what fills the rest stays, and must leave room when they are done. */
const roomBytes = 8 * 1_048_576;
const fillerBytes = 100_000;
/** Nothing listens there. */
const nowhere = 1;

/**
 * PostgreSQL is away, small chunks go into a Redis with limited memory, and at the end another client fills it to the last byte.
 * Meanwhile one of the workers is restarted. Everything has to be stored without anybody's help.
 */
export const redisFull: Scenario = async (options) => {
  const { testbed } = options;
  const url = new URL(testbed.databaseUrl);
  const proxy = await startTcpProxy(Number(url.port));
  testbed.onClose('the proxy of the full Redis', proxy.close);
  const databasePort = Number(url.port);
  url.port = String(proxy.port);
  await setBound(testbed, (await usedBytes(testbed)) + roomBytes);
  try {
    return await strikeUnderLoad(options, {
      scenario: `Redis full, PostgreSQL away for ${options.outageSeconds} s`,
      name: 'redis-full',
      workers: 2,
      chunkRecords: 5,
      environment: { DATABASE_URL: url.href },
      async strike(fleet, load) {
        proxy.forwardTo(nowhere);
        proxy.cut();
        await sleep(options.outageSeconds * 1_000);
        const share = (await usedBytes(testbed)) / (await maxBytes(testbed));
        await fill(testbed);
        const [worker] = fleet.up();
        if (worker !== undefined) await fleet.end(worker, 'SIGKILL');
        await untilTrue('a fleet that is whole again', () => fleet.up().length === 2);
        const waiting = await fleet.queue.getWaitingCount();
        proxy.forwardTo(databasePort);
        return `${load.recorded()} recorded until then, ${waiting} jobs waiting, Redis at ${Math.round(share * 100)} %, then filled up`;
      },
    });
  } finally {
    await setBound(testbed, 0);
    for await (const keys of testbed.redis.scanStream({ match: 'filler:*', count: 1_000 }))
      if (keys.length > 0) await testbed.redis.unlink(...keys);
  }
};

async function fill({ redis }: Testbed): Promise<void> {
  for (let key = 0; ; key += 1) {
    const isFull = await redis.set(`filler:${key}`, 'x'.repeat(fillerBytes)).then(
      () => false,
      () => true,
    );
    if (isFull) return;
  }
}

async function setBound({ redis }: Testbed, bytes: number): Promise<void> {
  await redis.config('SET', 'maxmemory', String(bytes));
}

async function usedBytes({ redis }: Testbed): Promise<number> {
  return parseMemoryInfo(await redis.info('memory'))?.usedBytes ?? 0;
}

async function maxBytes({ redis }: Testbed): Promise<number> {
  return parseMemoryInfo(await redis.info('memory'))?.maxBytes ?? 0;
}
