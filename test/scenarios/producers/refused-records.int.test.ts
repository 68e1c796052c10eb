import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import {
  createCompletedRequestSender,
  createExecutionObserver,
  type ExecutionObserver,
  type ExecutionObserverOptions,
  RecordRefusedError,
} from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { createDirectory, openQueue, until } from '../../support/fixtures.ts';
import { metricValue } from '../../support/metric-value.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';
import { targetOf } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';

const mb = 1_000_000;

async function setUp() {
  const { url } = await startFragileRedis();
  const admin = createRedis(targetOf(url), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  const queue = openQueue('sluice', url);
  await queue.waitUntilReady();
  const names = async (): Promise<string[]> =>
    (await queue.getJobs(['waiting']))
      .flatMap((job) => recordsOf<{ caseName: string }>(job).map(({ caseName }) => caseName))
      .sort();
  return { url, admin, names };
}

function startObserver(redisUrl: string, producer: ExecutionObserverOptions['producer'] = {}) {
  const registry = new Registry();
  const logged: string[] = [];
  const observer = createExecutionObserver({
    redisUrl,
    registry,
    logger: { warn: (fields, message) => logged.push(`${message}: ${(fields as { err?: Error }).err?.message}`) },
    producer: { sampleRate: 1, recordMaxBytes: 4 * mb, ...producer },
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  const counted = (outcome: string) => metricValue(registry, 'sluice_producer_records_total', { outcome });
  return { observer, logged, counted, registry };
}

/** Compression saves nothing of it. */
const incompressible = (bytes: number): string => `xxx${randomBytes((bytes * 3) / 4).toString('base64')}`;
const large = (bytes: number): { input: unknown } => ({ input: { text: incompressible(bytes) } });

function record(observer: ExecutionObserver, label: string, count: number, more: object = {}): string[] {
  const names = Array.from({ length: count }, (_, index) => `${label}-${String(index).padStart(3, '0')}`);
  for (const caseName of names) observer.record(anExecution({ caseName, ...more }));
  return names;
}

/** Servers that take nothing larger than a megabyte: one says so, the other cuts the connection. */
const limits: [limit: string, explained: RegExp][] = [
  ['proto-max-bulk-len', /Redis permanently refuses the record: PROTOCOL: .*raise proto-max-bulk-len/],
  ['client-query-buffer-limit', /Redis permanently refuses the record: CONNECTION: /],
];

test.each(limits)(
  'refused records: those that %s keeps out are set aside, counted and logged, and all others arrive',
  async (limit, explained) => {
    const { url, admin, names } = await setUp();
    await admin.config('SET', limit, '1mb');
    const { observer, logged, counted } = startObserver(url);
    const before = record(observer, 'a', 100);
    record(observer, 'large', 2, large(1.8 * mb));
    const behind = record(observer, 'b', 101);
    await until(() => observer.stats().sent === 201);
    // What comes later shows that it is not the server.
    const later: string[] = [];
    await until(async () => {
      later.push(...record(observer, `c-${String(later.length).padStart(3, '0')}`, 1));
      await observer.drain({ timeoutMs: 100 });
      return observer.stats().refused === 2;
    });
    expect(await observer.drain()).toMatchObject({ unflushed: 0 });
    expect(await names()).toEqual([...before, ...behind, ...later]);
    expect(observer.stats()).toMatchObject({
      kept: 203 + later.length,
      sent: 201 + later.length,
      refused: 2,
      dropped: 0,
    });
    expect(await counted('refused')).toBe(2);
    await observer.close();
    expect(logged.join('\n')).toMatch(explained);
    expect(logged.join('\n')).not.toContain('xxx');
  },
);

test('refused records: a chunk that is too large arrives in parts, and of a mixed one all that is small enough', async () => {
  const { url, admin, names } = await setUp();
  await admin.config('SET', 'proto-max-bulk-len', '1mb');
  const { observer } = startObserver(url, { chunk: { maxRecords: 200, maxBytes: 8 * mb, maxWaitMs: 20 } });
  const good = [...record(observer, 'a', 30), ...record(observer, 'half', 3, large(0.6 * mb))];
  record(observer, 'large', 1, large(1.8 * mb));
  good.push(...record(observer, 'z', 30));
  expect(await observer.drain()).toMatchObject({ flushed: 63, unflushed: 0 });
  expect(await names()).toEqual(good.sort());
  expect(observer.stats()).toMatchObject({ sent: 63, refused: 1 });
});

test('refused records: what comes from the disk is told apart as well, of this session and of an earlier one', async () => {
  const { url, admin, names } = await setUp();
  await admin.config('SET', 'proto-max-bulk-len', '1mb');
  const dir = await createDirectory();
  const spill = { dir, maxBytes: 100 * mb, fsyncMs: 0 };
  await admin.call('CLIENT', 'PAUSE', '60000', 'WRITE');
  const first = startObserver(url, { spill });
  record(first.observer, 'a', 10);
  record(first.observer, 'large', 1, large(1.8 * mb));
  await until(() => first.observer.stats().spilled > 0 && first.observer.depth().records === 0);
  await first.observer.close({ timeoutMs: 0 });

  const second = startObserver(url, { spill });
  record(second.observer, 'b', 10);
  record(second.observer, 'large', 1, large(1.8 * mb));
  await admin.call('CLIENT', 'UNPAUSE');
  await until(() => second.observer.stats().recovered >= 10 && second.observer.stats().sent === 10);
  expect(await second.observer.drain()).toMatchObject({ unflushed: 0, spilled: 0 });
  expect([...new Set(await names())]).toEqual([...namesOf('a', 10), ...namesOf('b', 10)]);
  expect(second.observer.stats()).toMatchObject({ kept: 11, sent: 10, refused: 1, spilled: 0, dropped: 0 });
});

function namesOf(label: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${label}-${String(index).padStart(3, '0')}`);
}

test('refused records: a durable send of one is rejected with the cause, and those beside it are not', async () => {
  const { url, admin } = await setUp();
  await admin.config('SET', 'proto-max-bulk-len', '1mb');
  const registry = new Registry();
  const sender = createCompletedRequestSender({
    redisUrl: url,
    registry,
    requests: { maxBodyBytes: 8 * mb },
    logger: { warn: () => undefined },
  });
  onTestFinished(async () => {
    await sender.close({ timeoutMs: 0 });
  });
  const [small, tooLarge, other] = await Promise.allSettled([
    sender.send(aRequest(), { durable: true }),
    sender.send(aRequest({ responseBody: incompressible(2 * mb) }), { durable: true }),
    sender.send(aRequest(), { durable: true }),
  ]);
  expect([small.status, other.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(tooLarge).toMatchObject({ status: 'rejected', reason: expect.any(RecordRefusedError) });
  expect(sender.stats()).toMatchObject({ accepted: 3, sent: 2, rejected: 1, dropped: 0 });
  expect(await metricValue(registry, 'sluice_request_records_total', { outcome: 'refused' })).toBe(1);
});

/** What refuses everything until it is mended, and so says nothing of a record. */
const troubles: [trouble: string, bringAbout: string[][], mend: string[][]][] = [
  [
    'a key of the queue of another type',
    [['SET', '{sluice:execution-log}:execution-log:wait', 'x']],
    [['DEL', '{sluice:execution-log}:execution-log:wait']],
  ],
  [
    'a right that is missing',
    [['ACL', 'SETUSER', 'default', '-evalsha', '-eval']],
    [['ACL', 'SETUSER', 'default', '+@all']],
  ],
  [
    'replicas that are missing',
    [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
    [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
  ],
  ['memory that is full', [['CONFIG', 'SET', 'maxmemory', '1mb']], [['CONFIG', 'SET', 'maxmemory', '0']]],
];

test.each(troubles)(
  'refused records: over %s nothing is set aside, and when it is mended all arrives',
  async (_trouble, bringAbout, mend) => {
    const { url, admin, names } = await setUp();
    const { observer } = startObserver(url, { chunk: { maxRecords: 10, maxBytes: mb, maxWaitMs: 5 } });
    const all = record(observer, 'a', 10);
    await observer.drain();
    for (const [command = '', ...args] of bringAbout) await admin.call(command, ...args);
    all.push(...record(observer, 'b', 100));
    expect(await observer.drain({ timeoutMs: 1_500 })).toMatchObject({ flushed: 0, unflushed: 100 });
    for (const [command = '', ...args] of mend) await admin.call(command, ...args);
    expect(await observer.drain()).toMatchObject({ unflushed: 0 });
    expect(observer.stats()).toMatchObject({ sent: 110, refused: 0, dropped: 0 });
    // What stood in the way of the key took its jobs with it.
    expect((await names()).filter((name) => name.startsWith('b-'))).toEqual(
      all.filter((name) => name.startsWith('b-')),
    );
  },
);
