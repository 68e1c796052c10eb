import type { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { jobName } from '../../../shared/contracts/queues.ts';
import { answerWithin } from '../../../shared/platform/deadline.ts';
import { aConsole } from '../../support/a-console.ts';
import {
  fillShards,
  killServersOf,
  partByServer,
  startPatientCluster,
  stopServersOf,
} from '../../support/filled-shards.ts';
import { until } from '../../support/fixtures.ts';

test('lost node: console, metrics and board go on with the shards of the others, and no worker is scaled away', async () => {
  const cluster = await startPatientCluster();
  const { app, get, namespace } = await aConsole({ REDIS_URL: '', ...cluster.environment });
  const shards = await fillShards(namespace, Array(8).fill(2), { redisUrl: cluster.redisUrl });
  const queues = async () => (await get('/api/v1/queues?shards=true')).body.queues;
  expect((await queues())[0]).toMatchObject({ waiting: 16, isPartial: false, shardCount: 8 });
  await until(async () => (await get('/api/v1/scaling')).status === 200);

  const victim = shards[0];
  if (victim === undefined) throw new Error('there is no shard');
  const { lost, left } = await partByServer(cluster, namespace, shards, victim);
  expect(left.length).toBeGreaterThan(0);
  const goOn = await stopServersOf(cluster, namespace, victim);
  const [executions] = await until(async () => {
    const seen = await queues();
    return seen?.[0]?.isPartial === true && seen;
  });
  // Its reading before counts, and is told to be old.
  expect(executions).toMatchObject({ waiting: 16, shardCount: 8 });
  const stale = executions.shards.filter((shard: { isStale: boolean }) => shard.isStale);
  expect(stale.map(({ name }: { name: string }) => name)).toEqual(lost);
  const { status, body } = await get('/api/v1/scaling?targetSeconds=30');
  expect(status).toBe(200);
  expect(body).toMatchObject({ minWorkers: 1 });
  expect(body.queues[0]).toMatchObject({ isPartial: true, backlog: 2 * left.length, minWorkers: 1 });
  expect(body.queues[0].backlogSeconds).toBeGreaterThanOrEqual(30);
  const { text } = await get('/metrics');
  expect(text).toContain('sluice_queue_backlog_jobs{queue="execution-log"} 16\n');
  expect(text).toContain('sluice_queue_min_workers{queue="execution-log"} 1\n');
  expect((await app.inject('/readyz')).statusCode).toBe(200);
  const board = (await get('/queues/api/queues')).body.queues.map(({ name }: { name: string }) => name);
  expect(board).toEqual(expect.arrayContaining(left));
  expect(board.filter((name: string) => lost.includes(name))).toEqual([]);

  goOn();
  await until(async () => (await queues())?.[0]?.isPartial === false);
  // Starting a cluster takes its time on a busy machine.
}, 120_000);

test('lost node: of a console that starts when it has been given up, nobody is told that there is no work', async () => {
  const cluster = await startPatientCluster();
  const { app, get, namespace } = await aConsole({ REDIS_URL: '', ...cluster.environment });
  const shards = await fillShards(namespace, Array(16).fill(0), { redisUrl: cluster.redisUrl });
  // If the server had the first shards, too, which are known without a search, nothing could be read at all.
  const { left } = await partByServer(cluster, namespace, shards, shards[0] as Queue);
  const victim = shards.find(({ name }) => name === left[0]) as Queue;
  await victim.add(jobName, {});
  await killServersOf(cluster, namespace, victim);
  // The others know that nobody has its slots.
  await until(async () => {
    const infos = await Promise.all(
      cluster.servers.map(({ client }) => answerWithin(500, () => client.cluster('INFO'))),
    );
    const known = infos.filter((info) => info !== null);
    return known.length > 0 && known.every((info) => !/cluster_slots_fail:0/.test(String(info)));
  });
  const { body } = await until(async () => {
    const answer = await get('/api/v1/scaling');
    return answer.status === 200 && answer;
  });
  expect(body.queues[0]).toMatchObject({ isPartial: true, minWorkers: 1 });
  expect(body.queues[0].backlogSeconds).toBeGreaterThanOrEqual(60);
  await until(async () => (await app.inject('/readyz')).statusCode === 200);
}, 120_000);
