import { parentPort, workerData } from 'node:worker_threads';
import { createSpill } from '../../producers/spill/spill.ts';

/** A thread that writes three chunks to disk, says so, and then lives until it is terminated. */
const spill = createSpill({
  dir: workerData.dir,
  session: 'thread-1700000000000',
  maxBytes: 1_000_000_000,
  fsyncMs: 500,
  now: Date.now,
  timing: workerData.timing,
  onFound: () => undefined,
  onLost: () => undefined,
  onTakenOver: () => undefined,
  onTrouble: () => undefined,
});
await spill.append([0, 1, 2].map((number) => ({ id: `thread.1.${number}`, data: '{}', entries: [{}] })));
parentPort?.postMessage('written');
parentPort?.on('message', () => undefined);
