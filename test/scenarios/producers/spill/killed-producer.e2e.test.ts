import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSegmentFile } from '../../../../producers/spill/segment-reader.ts';
import { connect, createDirectory, createTestDatabase, until } from '../../../support/fixtures.ts';
import { startSluice } from '../../../support/fleet.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { startProducer } from '../../../support/producer.ts';
import { recordsOf } from '../../../support/records-of.ts';
import { filesIn } from '../../../support/spill.ts';

interface StoredRow {
  id: string;
  case_name: string;
}

async function storedRows(databaseUrl: string): Promise<StoredRow[]> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<StoredRow>('select id, case_name from strategy_execution_log order by case_name');
  await client.end();
  return rows;
}

/** The case names of all records on disk. */
async function namesOnDisk(dir: string): Promise<string[]> {
  const names: string[] = [];
  for (const [file, bytes] of await filesIn(dir)) {
    for await (const part of readSegmentFile(join(dir, file), bytes)) {
      if (part.kind !== 'chunk') continue;
      const records = recordsOf<{ caseName: string }>({ data: JSON.parse(part.chunk.data) });
      names.push(...records.map(({ caseName }) => caseName));
    }
  }
  return names;
}

async function inspect(dir: string) {
  const call = await startSluice(['spill', 'inspect', dir, '--json'], {});
  const exitCode = await call.ended;
  return { exitCode, ...JSON.parse(call.stdout.at(-1) ?? '{}') };
}

test('spill: what a killed producer had reported as being on disk is stored, each record once', async () => {
  const redis = await startFragileRedis();
  const databaseUrl = await createTestDatabase();
  const dir = await createDirectory();
  const environment = { REDIS_URL: redis.url, SLUICE_SPILL_DIR: dir, DSL_EXECUTION_LOG_QUEUE_MAXSIZE: '500' };
  const first = startProducer({ ...environment, TEST_RECORDS: '1000000' });
  await until(() => (first.last?.sent ?? 0) > 500);
  await redis.kill();
  await until(() => (first.last?.spilled ?? 0) > 5_000);
  first.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  const { spilled = 0, dropped } = first.last ?? {};
  expect(dropped).toBe(0);

  const before = await inspect(dir);
  // The kill may have cut the chunk that was just being written; that one had not been reported.
  expect(before.directories).toMatchObject([{ state: 'orphan' }]);
  expect(before.total.records).toBeGreaterThanOrEqual(spilled);
  const onDisk = await namesOnDisk(dir);
  expect(onDisk).toHaveLength(before.total.records);

  const second = startProducer(environment);
  await until(() => second.last);
  await redis.startAgain();
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    SLUICE_WORKER_PORT: '0',
  });
  await until(() => second.last?.recovered === before.total.records);
  await until(async () => {
    const stored = new Set((await storedRows(databaseUrl)).map(({ case_name }) => case_name));
    return onDisk.every((name) => stored.has(name));
  });
  second.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);

  const rows = await storedRows(databaseUrl);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  expect(new Set(rows.map(({ case_name }) => case_name)).size).toBe(rows.length);
  expect(await readdir(`${dir}/sluice.execution-log`)).toEqual([]);
  expect(await inspect(dir)).toMatchObject({ exitCode: 0, directories: [], total: { records: 0 } });
});

test('spill: a producer that is stopped while Redis is away leaves everything to the next one', async () => {
  const dir = await createDirectory();
  const environment = { REDIS_URL: 'redis://127.0.0.1:1', SLUICE_SPILL_DIR: dir };
  const first = startProducer({ ...environment, TEST_RECORDS: '3000' });
  await until(() => first.last?.recorded === 3_000);
  first.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  expect(first.last?.closed).toEqual({ flushed: 0, unflushed: 0, spilled: 3_000 });

  const redis = await startFragileRedis();
  const second = startProducer({ ...environment, REDIS_URL: redis.url });
  await until(() => second.last?.recovered === 3_000);
  second.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  expect((await inspect(dir)).total).toMatchObject({ segments: 0, records: 0 });
});

test('spill: a disk that is full is treated as the bound is: records wait in memory, then are dropped and counted', async (context) => {
  const dir = await createDirectory();
  // A file system of 256 KiB that only this process sees; it takes the right to mount one.
  const onSmallDisk = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs -o size=256k none ${dir} && exec "$@"`, 'sh'];
  const trial = startProducer({}, [...onSmallDisk, 'true']);
  if ((await trial.ended) !== 0) context.skip('no right to mount a file system');

  const producer = startProducer(
    {
      REDIS_URL: 'redis://127.0.0.1:1',
      SLUICE_SPILL_DIR: dir,
      DSL_EXECUTION_LOG_QUEUE_MAXSIZE: '500',
      TEST_RECORDS: '5000',
      TEST_INPUT_BYTES: '600',
    },
    onSmallDisk,
  );
  await until(() => producer.stderr.some((line) => line.includes('the spill directory does not work as expected')));
  expect(producer.stderr.some((line) => line.includes('ENOSPC'))).toBe(true);
  producer.kill('SIGTERM');
  expect(await producer.ended).toBe(0);
  const { recorded, kept, dropped, spilled, closed } = producer.last ?? {};
  expect(closed?.spilled).toBe(spilled);
  expect(spilled).toBeGreaterThan(0);
  expect(kept).toBe(spilled);
  expect(dropped).toBe((recorded ?? 0) - (spilled ?? 0));
});
