import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const worker = new Worker(new URL('service.mjs', import.meta.url));
await once(worker, 'exit');
