import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Registry } from 'prom-client';
import { describeExit, startFleet } from '../../dev/fleet/fleet.ts';
import { createExecutionObserver, type ExecutionObserver } from '../../producers/index.ts';
import { queuePrefix, shardNames } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import type { ProducerSettings } from '../../shared/platform/config/producer-config.ts';
import { createCloseStack } from '../../shared/platform/lifecycle.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { type Contender, nameOf } from './contender.ts';
import { untilEmpty } from './queue-progress.ts';

/** Sluice as it is used: the SDK in this process, workers in theirs, with a queue of their own. */
export interface SluiceContender extends Contender {
  observer: ExecutionObserver;
  /** null: it has none */
  gateway: { url: string; pids(): number[] } | null;
  /** Resolves when everything recorded so far is committed. @throws Error if a record was dropped or a worker crashed */
  settle(): Promise<void>;
  /** Stops its workers. At the latest, the end of the bench does. */
  close(): Promise<void>;
}

/** How large the fleet is, and which Redis it uses. */
export interface SluiceOptions {
  workers: number;
  /** @default 1 */
  shards?: number;
  /** whether it has a gateway. @default false */
  gateway?: boolean;
  /** settings of the producer beside those of the testbed. @default none */
  producer?: Partial<ProducerSettings>;
  /** as a process is told, and a client of it. @default that of the testbed */
  redis?: { environment: Record<string, string>; client: Redis };
}

/** A scoring service handles one request at a time, and the sender works in between. */
const recordsPerTurn = 100;
const waitForRoomMs = 2;

export async function createSluice(
  testbed: Testbed,
  {
    workers,
    shards = 1,
    gateway = false,
    producer: settings,
    redis = { environment: {}, client: testbed.redis },
  }: SluiceOptions,
): Promise<SluiceContender> {
  const name = nameOf('Sluice', workers);
  const namespace = `bench-${workers}-${shards}${gateway ? '-gateway' : ''}`;
  const environment = { ...testbed.environment, ...redis.environment, SLUICE_NAMESPACE: namespace };
  const closing = createCloseStack(() => undefined);
  testbed.onClose(name, closing.closeAll);
  let crash: string | null = null;
  const fleet = await startFleet({
    workers,
    gateway,
    environment,
    logDir: join(testbed.dir, 'logs', namespace),
    onCrash: (worker, exit) => {
      crash = `${worker.name} ${describeExit(exit)}`;
    },
  });
  closing.push('the workers', fleet.stop);
  const producer = { ...testbed.config.producer, ...settings, shards, sampleRate: 1 };
  const observer = createExecutionObserver({
    redis: loadConfig(environment).redis,
    namespace,
    producer,
    registry: new Registry(),
  });
  closing.push('the observer', async () => void (await observer.close()));
  const queues = shardNames('execution-log', shards).map(
    (shard) => new Queue(shard, { connection: redis.client, prefix: queuePrefix(shard, namespace) }),
  );
  for (const queue of queues) closing.push('a queue', () => queue.close());

  const settle = async (): Promise<void> => {
    const { unflushed } = await observer.drain();
    const { dropped } = observer.stats();
    if (unflushed > 0 || dropped > 0) throw new Error(`${name}: ${dropped} records dropped, ${unflushed} unsent`);
    for (const queue of queues) await untilEmpty(queue);
    if (crash !== null) throw new Error(`${name}: ${crash}`);
  };

  return {
    name,
    share: 1,
    observer,
    gateway: fleet.gateway?.url
      ? { url: fleet.gateway.url, pids: () => (fleet.gateway?.pid ? [fleet.gateway.pid] : []) }
      : null,
    settle,
    close: closing.closeAll,
    workerPids: () => fleet.workers.flatMap(({ pid }) => pid ?? []),
    async store(rows, count) {
      await recordAll(observer, rows, { count, buffer: producer.buffer });
      await settle();
    },
  };
}

/** Records the first `count` rows, no faster than they are sent. */
export async function recordAll(
  observer: ExecutionObserver,
  rows: Rows,
  { count, buffer }: { count: number; buffer: { maxRecords: number; maxBytes: number } },
): Promise<void> {
  const hasRoom = (): boolean => {
    const { records, bytes } = observer.depth();
    return records < buffer.maxRecords / 2 && bytes < buffer.maxBytes / 2;
  };
  for (let index = 0; index < count; index += 1) {
    observer.record(rows.execution(index));
    if (index % recordsPerTurn !== 0) continue;
    await nextTurn();
    while (!hasRoom()) await sleep(waitForRoomMs);
  }
}
