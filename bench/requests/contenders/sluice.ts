import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createCompletedRequestSender } from '../../../producers/index.ts';
import type { Contender } from '../../contenders/contender.ts';
import type { Testbed } from '../../testbed.ts';
import { type RequestRows, toRequest } from '../request-rows.ts';
import { startRequestWorker } from '../request-worker.ts';

/** A gateway handles one request at a time, and the sender works in between. */
const requestsPerTurn = 100;
const namespace = 'bench-requests';

/** The fields that the original removes from what it stores. */
const stripRequestKeys = ['service_tier', 'background'];

/** Sluice as it is used: the SDK in this process, one worker in its own, with a queue of their own. */
export async function createRequestSluice(testbed: Testbed): Promise<Contender<RequestRows>> {
  const name = 'Sluice, 1 worker';
  const worker = await startRequestWorker(testbed, namespace);
  const { producer, requests } = testbed.config;
  const sender = createCompletedRequestSender({
    redisUrl: testbed.redisUrl,
    namespace,
    producer,
    requests,
    stripRequestKeys,
    registry: new Registry(),
  });
  testbed.onClose(`${name}, its sender of requests`, async () => void (await sender.close()));
  return {
    name,
    share: 1,
    workerPids: () => [worker.pid],
    async store(rows, count) {
      for (let index = 0; index < count; index += 1) {
        await sender.send(toRequest(rows.record(index)));
        if (index % requestsPerTurn === 0) await nextTurn();
      }
      const { unflushed } = await sender.flush();
      const { dropped } = sender.stats();
      if (unflushed > 0 || dropped > 0) throw new Error(`${name}: ${dropped} requests dropped, ${unflushed} unsent`);
      await worker.settle();
    },
  };
}
