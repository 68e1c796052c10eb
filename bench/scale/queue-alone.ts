import { Registry } from 'prom-client';
import { say } from '../../dev/steps.ts';
import { createExecutionObserver } from '../../producers/index.ts';
import { shardNames } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { readQueue, sumReadings } from '../../shared/platform/redis/read-queue.ts';
import { recordAll } from '../contenders/sluice.ts';
import type { CpuTimes } from '../cpu-meter.ts';
import type { Rows } from '../rows.ts';
import { startChild } from '../start-child.ts';
import { median } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import type { RedisPlace } from './redis-places.ts';

/** What a record costs the queue itself, with nothing behind it. */
export interface QueueResult {
  nodes: number;
  shards: number;
  /** CPU µs of all Redis servers per record: to add it, to hand it out, and to take its acknowledgement */
  addUs: number;
  drainUs: number;
  /** memory of Redis per record while it waits, in bytes */
  waitingBytes: number;
  recordsPerSecond: { added: number; drained: number };
}

const rounds = 3;

/** Fills a queue and drains it with a worker that does nothing but acknowledge. */
export async function measureQueues(
  testbed: Testbed,
  places: readonly RedisPlace[],
  rows: Rows,
): Promise<QueueResult[]> {
  const results: QueueResult[] = [];
  for (const place of places) {
    for (const shards of [1, 4]) {
      const runs: QueueResult[] = [];
      for (let round = 0; round < rounds; round += 1)
        runs.push(await measureQueue(testbed, { place, shards, round }, rows));
      const of = (pick: (run: QueueResult) => number): number => median(runs.map(pick));
      results.push({
        nodes: place.nodes,
        shards,
        addUs: of(({ addUs }) => addUs),
        drainUs: of(({ drainUs }) => drainUs),
        waitingBytes: of(({ waitingBytes }) => waitingBytes),
        recordsPerSecond: {
          added: of(({ recordsPerSecond }) => recordsPerSecond.added),
          drained: of(({ recordsPerSecond }) => recordsPerSecond.drained),
        },
      });
      say(`the queue alone: ${place.nodes} × Redis, shards: ${shards}: measured`);
    }
  }
  return results;
}

async function measureQueue(
  testbed: Testbed,
  { place, shards, round }: { place: RedisPlace; shards: number; round: number },
  rows: Rows,
): Promise<QueueResult> {
  const namespace = `queue-${place.nodes}-${shards}-${round}`;
  const environment = { ...testbed.environment, ...place.environment, SLUICE_NAMESPACE: namespace };
  const { producer } = testbed.config;
  const observer = createExecutionObserver({
    redis: loadConfig(environment).redis,
    namespace,
    producer: { ...producer, shards, sampleRate: 1 },
    registry: new Registry(),
  });
  const bytesBefore = await place.usedBytes();
  const added = await measure(place, rows.count, async () => {
    await recordAll(observer, rows, { count: rows.count, buffer: producer.buffer });
    await observer.drain();
  });
  const waitingBytes = ((await place.usedBytes()) - bytesBefore) / rows.count;
  await observer.close();

  const names = shardNames('execution-log', shards);
  const jobs = await Promise.all(names.map((queue) => readQueue(place.client, { queue, namespace })));
  const { waiting } = sumReadings(jobs);
  const drained = await measure(place, rows.count, async () => {
    const { child } = await startChild(testbed, {
      name: 'the worker that only acknowledges',
      file: new URL('./acknowledging-worker.ts', import.meta.url),
      args: [String(shards), String(waiting)],
      environment,
    });
    child.kill('SIGKILL');
  });
  return {
    nodes: place.nodes,
    shards,
    addUs: added.redisUs,
    drainUs: drained.redisUs,
    waitingBytes,
    recordsPerSecond: { added: added.recordsPerSecond, drained: drained.recordsPerSecond },
  };
}

async function measure({ cpu }: RedisPlace, records: number, work: () => Promise<void>) {
  const redisUs = (times: CpuTimes | null): number => times?.redis ?? Number.NaN;
  const before = cpu.read([]);
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { redisUs: (redisUs(cpu.read([])) - redisUs(before)) / records, recordsPerSecond: records / seconds };
}
