import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  type CompletedRequestSenderOptions,
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  SenderClosedError,
  UsageError,
} from '../../../producers/index.ts';
import { findRequestProblem, type RequestRecord } from '../../../shared/contracts/completed-request-schema.ts';
import { anExecution } from '../../support/execution.ts';
import { createDirectory, createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { aClockOfANewMinute } from '../../support/new-minute.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';
import { redisSettings } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';
import { outcomeOf } from '../../support/request-sender.ts';

const mib = 1_048_576;

function startSender(redisUrl: string, options: Partial<CompletedRequestSenderOptions> = {}) {
  const sender = createCompletedRequestSender({
    redis: redisSettings(redisUrl),
    registry: new Registry(),
    logger: { warn: () => undefined },
    ...options,
  });
  onTestFinished(async () => {
    await sender.close({ timeoutMs: 0 });
  });
  return sender;
}

/** All records in the queue, which workers can read. */
async function queuedRecords(redisUrl: string, namespace = 'sluice'): Promise<RequestRecord[]> {
  const jobs = await openQueue(namespace, redisUrl, 'completed-request').getJobs(['waiting']);
  const records = jobs.flatMap((job) => recordsOf<RequestRecord>(job));
  for (const record of records) expect(findRequestProblem(record)).toBeNull();
  return records;
}

const idsOf = (records: readonly { requestId: string }[]) => records.map(({ requestId }) => requestId).sort();

const someRequests = (count: number) => Array.from({ length: count }, () => aRequest({ requestId: randomUUID() }));

test('sender: what is sent is in the queue, each record once and as the contract has it', async () => {
  const namespace = createNamespace();
  const sender = startSender(inject('redisUrl'), { namespace });
  const requests = someRequests(1_000);
  await Promise.all(requests.map((request) => sender.send(request)));
  expect(await sender.flush()).toEqual({ flushed: 1_000, unflushed: 0, spilled: 0 });
  expect(idsOf(await queuedRecords(inject('redisUrl'), namespace))).toEqual(idsOf(requests));
});

test('sender: durable resolves when the record is in Redis, without waiting for a flush', async () => {
  const namespace = createNamespace();
  const sender = startSender(inject('redisUrl'), { namespace });
  const request = aRequest();
  await sender.send(request, { durable: true });
  expect(idsOf(await queuedRecords(inject('redisUrl'), namespace))).toEqual([request.requestId]);
});

test('sender: a large record is a chunk of its own and arrives whole', async () => {
  const namespace = createNamespace();
  const sender = startSender(inject('redisUrl'), { namespace });
  const body = 'ö'.repeat(mib / 2);
  await sender.send(aRequest({ requestBody: body, responseBody: `${body}x` }), { durable: true });
  expect(await queuedRecords(inject('redisUrl'), namespace)).toMatchObject([
    { requestBody: body, requestCut: false, responseBody: body, responseBytes: mib + 1, responseCut: true },
  ]);
});

test('sender: while Redis is frozen sends fill the buffer and wait, and go on when it answers', async () => {
  const redis = await startFragileRedis();
  const sender = startSender(redis.url, { requests: { buffer: { maxRecords: 100, maxBytes: 10 * mib } } });
  const requests = someRequests(500);
  await sender.send(requests[0] as (typeof requests)[number], { durable: true });
  redis.freeze();
  const sends = requests.slice(1).map((request) => sender.send(request));
  expect(await outcomeOf(Promise.all(sends))).toBe('pending');
  expect(sender.stats()).toMatchObject({ accepted: 101, waiting: 399 });
  expect(sender.trySend(aRequest())).toBe(false);
  redis.thaw();
  await Promise.all(sends);
  expect(await sender.flush()).toMatchObject({ unflushed: 0 });
  expect(idsOf(await queuedRecords(redis.url))).toEqual(idsOf(requests));
});

test('sender: while Redis is down sends wait, and each record is there once when it is back', async () => {
  const redis = await startFragileRedis();
  const sender = startSender(redis.url, { requests: { buffer: { maxRecords: 100, maxBytes: 10 * mib } } });
  const requests = someRequests(500);
  await sender.send(requests[0] as (typeof requests)[number], { durable: true });
  await redis.kill();
  const sends = requests.slice(1).map((request) => sender.send(request));
  expect(await outcomeOf(Promise.all(sends))).toBe('pending');
  expect(sender.depth().records).toBe(100);
  await redis.startAgain();
  await Promise.all(sends);
  await sender.flush();
  expect(idsOf(await queuedRecords(redis.url))).toEqual(idsOf(requests));
});

test('sender: closing on a frozen Redis ends in time, and tells everybody who waits', async () => {
  const redis = await startFragileRedis();
  const sender = startSender(redis.url, { requests: { buffer: { maxRecords: 10, maxBytes: 10 * mib } } });
  await sender.send(aRequest(), { durable: true });
  redis.freeze();
  const durable = sender.send(aRequest(), { durable: true });
  const accepted = someRequests(9).map((request) => sender.send(request));
  const waiting = someRequests(5).map((request) => sender.send(request));
  const outcomes = Promise.allSettled([durable, ...waiting]);
  await Promise.all(accepted);
  expect(await sender.close({ timeoutMs: 100 })).toEqual({ flushed: 0, unflushed: 10, spilled: 0 });
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(SenderClosedError) });
  expect(sender.stats()).toMatchObject({ accepted: 11, sent: 1, dropped: 10, closed: 5, waiting: 0 });
  redis.thaw();
});

test('sender: with a spill nobody waits while Redis is away, and the next session sends what this one left', async () => {
  const redis = await startFragileRedis();
  const dir = await createDirectory();
  const producer = { spill: { dir, maxBytes: 100 * mib, fsyncMs: 500 } };
  const requests = someRequests(600);
  const first = startSender(redis.url, { producer, requests: { buffer: { maxRecords: 100, maxBytes: 10 * mib } } });
  await first.send(requests[0] as (typeof requests)[number], { durable: true });
  await redis.kill();
  await Promise.all(requests.slice(1).map((request) => first.send(request)));
  expect(await first.close({ timeoutMs: 10 })).toMatchObject({ unflushed: 0, spilled: 599 });
  expect(await readdir(dir)).toEqual(['sluice.completed-request']);

  await redis.startAgain();
  const second = startSender(redis.url, { producer });
  await until(() => second.stats().recovered === 599);
  expect(idsOf(await queuedRecords(redis.url))).toEqual(idsOf(requests));
  await until(async () => (await readdir(join(dir, 'sluice.completed-request'))).length === 0);
});

test('sender: it shares a registry and a spill directory with an observer', async () => {
  const registry = new Registry();
  const namespace = createNamespace();
  const dir = await createDirectory();
  const producer = { spill: { dir, maxBytes: 100 * mib, fsyncMs: 500 } };
  const sender = startSender(inject('redisUrl'), { registry, namespace, producer, now: aClockOfANewMinute() });
  const observer = createExecutionObserver({
    redis: redisSettings(inject('redisUrl')),
    registry,
    namespace,
    producer: { ...producer, sampleRate: 1 },
    now: aClockOfANewMinute(),
  });
  observer.record(anExecution());
  await sender.send(aRequest());
  const metrics = await registry.metrics();
  for (const queue of ['execution-log', 'completed-request'])
    expect(metrics).toContain(`sluice_spill_records{queue="${queue}"} 0`);
  // Closing flushes what the timers have not sent by then.
  expect(await observer.close()).toMatchObject({ unflushed: 0, spilled: 0 });
  expect(await registry.metrics()).toContain('sluice_spill_records{queue="completed-request"} 0');
  expect(await sender.close()).toMatchObject({ unflushed: 0, spilled: 0 });
  expect(registry.getMetricsAsArray()).toEqual([]);
  for (const queue of ['execution-log', 'completed-request'] as const) {
    const jobs = await openQueue(namespace, inject('redisUrl'), queue).getJobs(['waiting'], 0, -1, true);
    // And what each of them has told the ledger at its end.
    expect(jobs.map(({ name }) => name)).toEqual(['chunk', 'report']);
  }
});

test('options: the environment names everything, and shows no secret', async () => {
  const secret = 'hunter2hunter2hunter2';
  const environment = {
    REDIS_URL: 'redis://h',
    SLUICE_API_KEY_PEPPER: secret,
    SLUICE_MAX_BODY_BYTES: '2048',
    SLUICE_REQUEST_BUFFER_MAX_RECORDS: '7',
    SLUICE_CHUNK_MAX_RECORDS: '3',
    SLUICE_SPILL_DIR: '/spill',
  };
  expect(completedRequestSenderOptionsFrom(environment)).toMatchObject({
    redisUrl: 'redis://h',
    namespace: 'sluice',
    requests: { apiKeyPepper: secret, maxBodyBytes: 2_048, buffer: { maxRecords: 7 } },
    producer: { chunk: { maxRecords: 3 }, spill: { dir: '/spill' } },
  });
  expect(() => createCompletedRequestSender(completedRequestSenderOptionsFrom({}))).toThrow(UsageError);
  const refused = (requests: object) => () => startSender('redis://127.0.0.1:1', { requests });
  expect(refused({ apiKeyPepper: 'zq-short' })).toThrow(/^requests.apiKeyPepper is too short; accepted/);
  expect(refused({ apiKeyPepper: 'zq-short' })).not.toThrow(/zq-short/);
  expect(refused({ maxBodyBytes: 1_000 })).toThrow(RangeError);
  expect(refused({ maxBodyBytes: 100 * mib })).toThrow(RangeError);
  expect(refused({ maxBodyBytes: mib, buffer: { maxRecords: 1, maxBytes: 2 * mib } })).toThrow(/a third/);
  expect(refused({ buffer: { maxRecords: 0, maxBytes: 10 * mib } })).toThrow(/buffer.maxRecords is 0/);
});
