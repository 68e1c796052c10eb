import cluster from 'node:cluster';

const strategy = process.env.STRATEGY;
const request = process.env.REQUEST;

if (cluster.isPrimary) {
  for (let n = 0; n < 4; n += 1)
    cluster.fork({ STRATEGY: `${strategy}-${n}`, REQUEST: request.replace(/.$/, String(n)) });
} else {
  await import('./service.mjs');
  // A worker of a cluster ends with its channel.
  cluster.worker.disconnect();
}
