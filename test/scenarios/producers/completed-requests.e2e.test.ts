import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import type { SenderStats } from '../../../producers/index.ts';
import { createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { startJsonProcess } from '../../support/json-process.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';

const mib = 1_048_576;

interface SurgeLine extends SenderStats {
  bytes: number;
  returned: number;
  warmRss: number;
  peakRss: number;
}

/**
 * Ten times what the buffer holds (16 MiB) is sent at once. The heap is bounded to a fraction of that, so a sender that kept
 * the surge would die of it. What the process may grow by while Redis is away: the buffer, the chunks under way (ten of
 * 256 KiB, three times: as text, as a command, in the socket), and as much garbage again as V8 lets stand. While the surge
 * is worked off, all of it goes through the process, and what the allocator keeps of buffers that were freed comes on top:
 * several times the buffer, however long the surge.
 */
const surge = {
  records: 2_500,
  bodyBytes: 65_536,
  bufferBytes: 16 * mib,
  heapMib: 96,
  mayGrowWhileAway: 128 * mib,
  mayGrow: 256 * mib,
};

test.each(['frozen', 'killed'] as const)(
  'memory: under a surge of ten times the buffer, with Redis %s, it stays within its bound, and all arrives in the end',
  async (how) => {
    const redis = await startFragileRedis();
    const service = startJsonProcess<SurgeLine>('request-surge-process.ts', {
      NODE_OPTIONS: `--max-old-space-size=${surge.heapMib}`,
      REDIS_URL: redis.url,
      SLUICE_REQUEST_BUFFER_MAX_BYTES: String(surge.bufferBytes),
      TEST_RECORDS: String(surge.records),
      TEST_BODY_BYTES: String(surge.bodyBytes),
    });
    await until(() => service.last);
    if (how === 'frozen') redis.freeze();
    else await redis.kill();
    service.kill('SIGUSR2');
    await until(() => (service.last?.waiting ?? 0) > 0);
    const full = service.lines.length;
    await until(() => service.lines.length > full + 50);
    const away = service.last as SurgeLine;
    expect(away.bytes).toBeLessThanOrEqual(surge.bufferBytes);
    expect(away.returned + away.waiting).toBe(surge.records);
    expect(away.waiting).toBeGreaterThan(surge.records * 0.8);
    expect(away.peakRss - away.warmRss).toBeLessThan(surge.mayGrowWhileAway);

    if (how === 'frozen') redis.thaw();
    else await redis.startAgain();
    await until(() => service.last?.sent === service.last?.accepted && service.last?.returned === surge.records);
    const { accepted, peakRss, warmRss } = service.last as SurgeLine;
    expect(peakRss - warmRss).toBeLessThan(surge.mayGrow);
    const jobs = await openQueue('sluice', redis.url, 'completed-request').getJobs(['waiting']);
    expect(jobs.reduce((sum, job) => sum + recordsOf(job).length, 0)).toBe(accepted);
  },
);

test('shutdown: 200 requests in flight when the service gets SIGTERM are all in the queue when its close has ended', async () => {
  const namespace = createNamespace();
  const service = startJsonProcess<{ port?: number; inFlight?: number; sends?: number; closed?: object }>(
    'request-service-process.ts',
    { REDIS_URL: inject('redisUrl'), SLUICE_NAMESPACE: namespace, SLUICE_REQUEST_BUFFER_MAX_RECORDS: '20' },
  );
  const { port } = await until(() => service.lines.find((line) => line.port !== undefined));
  const ids = Array.from({ length: 200 }, () => randomUUID());
  const answers = Promise.all(
    ids.map(async (id) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-request-id': id } });
      return response.text();
    }),
  );
  await until(() => service.last?.inFlight === 200);
  service.kill('SIGTERM');
  expect(await answers).toEqual(ids.map(() => 'answer'));
  expect(await service.ended).toBe(0);
  expect(service.last).toMatchObject({ sends: 200, closed: { unflushed: 0, spilled: 0 } });
  const jobs = await openQueue(namespace, inject('redisUrl'), 'completed-request').getJobs(['waiting']);
  const queued = jobs.flatMap((job) => recordsOf<{ requestId: string }>(job).map(({ requestId }) => requestId));
  expect(queued.sort()).toEqual([...ids].sort());
});
