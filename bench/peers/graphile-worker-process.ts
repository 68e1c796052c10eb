import { type GraphileWorker, graphileSettings, task } from './graphile-worker.ts';
import { loadPeer } from './packages.ts';
import { createPeerProcess } from './peer-process.ts';

// The worker process behind `graphile-worker.ts`.

const { concurrentJobs, localQueueSize, completeJobBatchDelay } = graphileSettings;
const { run, Logger } = await loadPeer<GraphileWorker>('graphile-worker');
const peer = createPeerProcess('graphile-worker', concurrentJobs);
const runner = await run({
  preset: {
    worker: {
      connectionString: peer.databaseUrl,
      concurrentJobs,
      maxPoolSize: concurrentJobs + 2,
      localQueue: { size: localQueueSize },
      completeJobBatchDelay,
    },
  },
  logger: new Logger(() => () => undefined),
  noHandleSignals: true,
  parsedCronItems: [],
  taskList: {
    [task]: (rows) => peer.store(JSON.stringify(rows), (rows as unknown[]).length),
  },
});
runner.events.on('job:error', ({ error }) => peer.report(error));
peer.ready();
