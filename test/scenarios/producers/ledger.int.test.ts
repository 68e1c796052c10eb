import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createCompletedRequestSender, createExecutionObserver } from '../../../producers/index.ts';
import type { LedgerReportJob } from '../../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../../shared/contracts/ledger-report-schema.ts';
import { shardNames } from '../../../shared/contracts/queues.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { failure, anExecution as ok } from '../../support/execution.ts';
import { createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { startJsonProcess } from '../../support/json-process.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { redisEnvironment, redisSettings, targetOf } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';
import { accountOf, droppedIn, readMinutes, recordsByMinute, sum } from '../../support/session-books.ts';
import { aClockOfShortMinutes } from '../../support/short-minutes.ts';

/** What a worker would read: chunks and reports. */
async function jobsIn(queues: readonly Queue[]) {
  const jobs = (await Promise.all(queues.map((queue) => queue.getJobs(['waiting'], 0, -1, true)))).flat();
  const reports: LedgerReportJob[] = [];
  const chunks: ReturnType<typeof accountOf>[] = [];
  for (const job of jobs) {
    if (job.name !== 'report') {
      chunks.push(accountOf(JSON.stringify(job.data)));
      continue;
    }
    const parsed = parseReport(job.data);
    if (parsed.kind !== 'report') throw new Error(parsed.reason);
    const { producer, epoch, life, report } = parsed.job;
    expect(job.id).toBe(`${producer}.${epoch}.${life}.report.${report.number}`);
    reports.push(parsed.job);
  }
  reports.sort((a, b) => a.report.number - b.report.number);
  return { reports, chunks: chunks.sort((a, b) => a.seq - b.seq) };
}

const executionQueues = (namespace: string, shards: number, url?: string): Queue[] =>
  shardNames('execution-log', shards).map((name) => openQueue(namespace, url, name));

test.each([1, 3])('ledger: chunks and reports of a session with %i shards tell the same numbers', async (shards) => {
  const namespace = createNamespace();
  const observer = createExecutionObserver({
    redis: redisSettings(inject('redisUrl')),
    namespace,
    registry: new Registry(),
    now: aClockOfShortMinutes(),
    random: () => 0.5,
    producer: { sampleRate: 0.25, shards, chunk: { maxRecords: 10, maxBytes: 262_144, maxWaitMs: 5 } },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  const queues = executionQueues(namespace, shards);
  const reported = async () => (await jobsIn(queues)).reports.length;
  for (let round = 0; round < 4; round += 1) {
    for (let run = 0; run < 50; run += 1) {
      observer.record(failure({ realmId: `realm-${run % 3}` }));
      observer.record(ok({ realmId: `realm-${run % 3}` }));
    }
    const before = await reported();
    await until(async () => (await reported()) > before);
  }
  await observer.close();
  const { reports, chunks } = await jobsIn(queues);
  const told = reports.map(({ report }) => report);
  const last = told.at(-1) ?? expect.unreachable();
  const stats = observer.stats();
  expect(stats).toMatchObject({ recorded: 400, sampledOut: 200, sent: 200 });
  expect(last).toMatchObject({
    ...{ kind: 'execution-observer', isFinal: true, waitingRecords: 0, unacknowledged: [], spilledRecords: 0 },
    ...{ lastSeq: chunks.length, chunkedRecords: 200 },
    totals: { recorded: 400, sampledOut: 200, chunked: 200, sent: 200 },
  });
  expect(told.map(({ isFinal }) => isFinal).indexOf(true)).toBe(told.length - 1);
  expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, index) => index + 1));
  expect(recordsByMinute(chunks)).toEqual(readMinutes(told, ({ chunked = 0 }) => chunked));
  expect(recordsByMinute(chunks)).toEqual(readMinutes(told, ({ sent = 0 }) => sent));
  expect(Object.keys(recordsByMinute(chunks)).length).toBeGreaterThan(3);
  expect(sum(Object.values(readMinutes(told, ({ sampledOut = 0 }) => sampledOut)))).toBe(200);
});

test('ledger: requests have an account, too, each shard with the numbers of one session', async () => {
  const namespace = createNamespace();
  const sender = createCompletedRequestSender({
    redis: redisSettings(inject('redisUrl')),
    namespace,
    registry: new Registry(),
    producer: { shards: 3, chunk: { maxRecords: 5, maxBytes: 262_144, maxWaitMs: 5 } },
  });
  onTestFinished(async () => void (await sender.close({ timeoutMs: 0 })));
  for (let request = 0; request < 100; request += 1) await sender.send(aRequest({ requestId: randomUUID() }));
  await sender.close();
  const queues = shardNames('completed-request', 3).map((name) => openQueue(namespace, undefined, name));
  const { reports, chunks } = await jobsIn(queues);
  expect(reports.at(-1)?.report).toMatchObject({
    ...{ kind: 'request-sender', isFinal: true, lastSeq: chunks.length, chunkedRecords: 100 },
    totals: { recorded: 100, chunked: 100, sent: 100 },
  });
  expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, index) => index + 1));
  let before = 0;
  for (const chunk of chunks) {
    expect(chunk.before).toBe(before);
    before += chunk.size;
  }
  expect(sum(Object.values(recordsByMinute(chunks)))).toBe(100);
});

test('ledger: while Redis is away nothing is told, and the first report that it takes tells all of it', async () => {
  const redis = await startFragileRedis();
  const observer = createExecutionObserver({
    redisUrl: redis.url,
    registry: new Registry(),
    now: aClockOfShortMinutes(),
    random: () => 0.5,
    logger: { warn: () => undefined },
    producer: {
      sampleRate: 0.25,
      buffer: { maxRecords: 20, maxBytes: 10_000_000 },
      chunk: { maxRecords: 5, maxBytes: 262_144, maxWaitMs: 5 },
    },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  const queues = executionQueues('sluice', 1, redis.url);
  observer.record(failure());
  await until(async () => (await jobsIn(queues)).reports.length > 0);
  await redis.kill();
  for (let run = 0; run < 50; run += 1) {
    observer.record(failure({ realmId: `realm-${run % 2}` }));
    observer.record(ok());
  }
  expect(observer.stats().dropped).toBeGreaterThan(0);
  await redis.startAgain();
  await until(() => observer.stats().sent === observer.stats().kept);
  const { kept, dropped } = observer.stats();
  const read = async () => (await jobsIn(queues)).reports.map(({ report }) => report);
  await until(async () => (await read()).at(-1)?.totals.sent === kept);
  const told = await read();
  expect(told.at(-1)?.totals).toEqual({
    ...{ recorded: 101, sampledOut: 50, chunked: kept, sent: kept },
    dropped: { bufferFull: dropped },
  });
  expect(sum(Object.values(readMinutes(told, droppedIn)))).toBe(dropped);
  expect(recordsByMinute((await jobsIn(queues)).chunks)).toEqual(readMinutes(told, ({ chunked = 0 }) => chunked));
});

test('ledger: a Redis that is full refuses reports as it refuses records, and gets the numbers when it has room', async () => {
  const redis = await startFragileRedis();
  const admin = createRedis(targetOf(redis.url), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  const observer = createExecutionObserver({
    redisUrl: redis.url,
    registry: new Registry(),
    now: aClockOfShortMinutes(),
    logger: { warn: () => undefined },
    producer: { sampleRate: 0, memoryShare: 1 },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  await admin.config('SET', 'maxmemory', '1');
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
  const refused = async (): Promise<number> => {
    const [, calls = 0] =
      /cmdstat_evalsha:calls=\d+.*rejected_calls=(\d+)/.exec(await admin.info('commandstats')) ?? [];
    const [, errors = 0] = /errorstat_OOM:count=(\d+)/.exec(await admin.info('errorstats')) ?? [];
    return Number(calls) + Number(errors);
  };
  observer.record(ok({ realmId: 'a' }));
  await until(async () => (await refused()) > 0);
  await admin.config('SET', 'maxmemory', '0');
  const queues = executionQueues('sluice', 1, redis.url);
  const { reports } = await until(async () => {
    const jobs = await jobsIn(queues);
    return jobs.reports.length > 0 && jobs;
  });
  expect(reports[0]?.report).toMatchObject({ totals: { recorded: 1, sampledOut: 1 }, lastSeq: 0 });
  expect(reports[0]?.report.number).toBeGreaterThan(1);
});

test('ledger: a process whose runs were all sampled out ends by itself, however often it has reported', async () => {
  const namespace = createNamespace();
  const child = startJsonProcess<{ recorded: number }>('sampled-out-process.ts', {
    ...redisEnvironment(inject('redisUrl')),
    SLUICE_NAMESPACE: namespace,
    TEST_MINUTES: '4',
  });
  expect(await child.ended, child.stderr.join('\n')).toBe(0);
  const { reports, chunks } = await jobsIn(executionQueues(namespace, 1));
  expect(chunks).toEqual([]);
  expect(reports.length).toBeGreaterThan(0);
  expect(reports.every(({ report }) => !report.isFinal)).toBe(true);
});
