import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Registry } from 'prom-client';
import { startFleet } from '../../dev/fleet/fleet.ts';
import { createExecutionObserver, type ExecutionObserver } from '../../producers/index.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import type { Stage } from '../stage.ts';
import type { Contender } from './contender.ts';
import { untilEmpty } from './queue-progress.ts';

/** Sluice as it is used: the SDK in this process, workers in theirs, a queue of their own. */
export interface SluiceContender extends Contender {
  observer: ExecutionObserver;
  /** Resolves when everything recorded so far is committed. @throws Error when a record was dropped or a worker crashed */
  settle(): Promise<void>;
}

/** A scoring service handles a request at a time, and the sender works in between. */
const recordsPerTurn = 100;
const waitForRoomMs = 2;

export async function createSluice(stage: Stage, workers: number): Promise<SluiceContender> {
  const name = `Sluice, ${workers} worker${workers === 1 ? '' : 's'}`;
  const namespace = `bench-${workers}`;
  let crash: string | null = null;
  const fleet = await startFleet({
    workers,
    environment: { ...stage.environment, SLUICE_NAMESPACE: namespace },
    logDir: join(stage.dir, 'logs', namespace),
    onCrash: (worker, how) => {
      crash = `${worker.name} ${how}`;
    },
  });
  stage.onClose(name, fleet.stop);
  const { producer } = stage.config;
  const observer = createExecutionObserver({
    redisUrl: stage.redisUrl,
    namespace,
    producer: { ...producer, sampleRate: 1 },
    registry: new Registry(),
  });
  stage.onClose(`${name}, its observer`, async () => void (await observer.close()));
  const queue = new Queue('execution-log', {
    connection: stage.redis,
    prefix: queuePrefix('execution-log', namespace),
  });
  stage.onClose(`${name}, its queue`, () => queue.close());

  const hasRoom = (): boolean => {
    const { records, bytes } = observer.depth();
    return records < producer.buffer.maxRecords / 2 && bytes < producer.buffer.maxBytes / 2;
  };
  const settle = async (): Promise<void> => {
    const { unflushed } = await observer.drain();
    const { dropped } = observer.stats();
    if (unflushed > 0 || dropped > 0) throw new Error(`${name}: ${dropped} records dropped, ${unflushed} unsent`);
    await untilEmpty(queue);
    if (crash !== null) throw new Error(`${name}: ${crash}`);
  };

  return {
    name,
    share: 1,
    observer,
    settle,
    workerPids: () => fleet.workers.flatMap(({ pid }) => pid ?? []),
    async store(rows, count) {
      for (let index = 0; index < count; index += 1) {
        observer.record(rows.execution(index));
        if (index % recordsPerTurn !== 0) continue;
        await nextTurn();
        while (!hasRoom()) await sleep(waitForRoomMs);
      }
      await settle();
    },
  };
}
