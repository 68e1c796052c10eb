import { loadPeer } from './packages.ts';
import { createPeerProcess } from './peer-process.ts';
import { bossOptions, bossQueue, bossSettings, type PgBossModule } from './pg-boss.ts';

// The worker process behind `pg-boss.ts`.

const { batchSize, localConcurrency, pollingIntervalSeconds } = bossSettings;
const { PgBoss } = await loadPeer<PgBossModule>('pg-boss');
const peer = createPeerProcess('pg-boss', localConcurrency);
const boss = new PgBoss(bossOptions(peer.databaseUrl));
boss.on('error', peer.report);
await boss.start();
await boss.work(
  bossQueue,
  {
    batchSize,
    localConcurrency,
    pollingIntervalSeconds,
    notifyPollingIntervalSeconds: pollingIntervalSeconds,
    burstWhenBatchFull: true,
  },
  async (jobs) => {
    const rows = jobs.flatMap(({ data }) => data.rows);
    // A handler that throws has its jobs tried again, which nobody would see.
    await peer.store(JSON.stringify(rows), rows.length).catch(peer.report);
  },
);
peer.ready();
