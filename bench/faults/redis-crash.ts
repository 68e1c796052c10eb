import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopProcess } from '../../dev/servers/processes.ts';
import { startRedis } from '../../dev/servers/redis.ts';
import { findRedisBinary } from '../../dev/servers/redis-binary.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const times = 3;
const awayMs = 2_000;
const calmMs = 3_000;

/** Redis is killed and restarted from its append-only file. The producer keeps what was not acknowledged. */
export const redisCrash: Scenario = (options) =>
  strikeUnderLoad(options, {
    scenario: `${times} × SIGKILL of Redis`,
    name: 'redis-crash',
    workers: 2,
    async strike(_fleet, _load, testbed) {
      const dir = join(testbed.dir, 'redis');
      const binary = (await findRedisBinary()) ?? '';
      for (let time = 0; time < times; time += 1) {
        const server = await startRedis({ binary, dir });
        await stopProcess(server.pid, 'SIGKILL', 10_000);
        await sleep(awayMs);
        const again = await startRedis({ binary, dir, port: server.port });
        testbed.onClose('the Redis that was started again', again.stop);
        await sleep(calmMs);
      }
      return 'append-only file, appendfsync everysec';
    },
  });
