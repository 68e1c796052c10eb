import { Worker } from 'bullmq';
import { requireRedis } from '../../shared/platform/config/config.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { type BatchEntry, bytesOfJson, createBatcher } from '../../workers/ingest/batcher.ts';
import { coalescingQueue, coalescingSettings } from './coalescing.ts';
import { createPeerProcess } from './peer-process.ts';

// The worker process behind `coalescing.ts`.

const { concurrency, rowsPerInsert, maxWaitMs, insertsInFlight } = coalescingSettings;
const peer = createPeerProcess('the shape of Langfuse', insertsInFlight);
const batcher = createBatcher<BatchEntry>({
  bytesOf: bytesOfJson,
  limits: { maxRecords: rowsPerInsert, maxBytes: Number.POSITIVE_INFINITY, maxWaitMs, maxInFlight: insertsInFlight },
  async write(rows) {
    await peer.store(`[${rows.map(({ json }) => json.slice(1, -1)).join(',')}]`, rows.length);
    return rows.map(() => null);
  },
});
const worker = new Worker(
  coalescingQueue,
  ({ data }) => batcher.add({ json: `[${JSON.stringify(data)}]`, records: 1 }),
  {
    connection: createRedis(requireRedis(peer.config.redis), { role: 'worker', name: 'bench', logger: null }),
    concurrency,
  },
);
worker.on('failed', (_job, error) => peer.report(error));
worker.on('error', peer.report);
await worker.waitUntilReady();
peer.ready();
