import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { beforeAll, expect, inject, test } from 'vitest';
import { installPackage } from '../../dev/servers/install-package.ts';
import { shardOfRequest } from '../../producers/requests/request-shard.ts';
import { anExecutionFleet, recordText } from '../support/execution-fleet.ts';
import { until } from '../support/fixtures.ts';
import { aHealthPlace } from '../support/health-place.ts';
import { addJob, openRawRedis } from '../support/raw-job.ts';

const run = promisify(execFile);
const page = readFileSync('docs/other-languages.md', 'utf8');

beforeAll(async () => {
  const isThere = await run('sh', ['-c', 'command -v redis-cli']).catch(() => null);
  if (isThere === null) await installPackage({ apt: 'redis-tools', brew: 'redis' }, process.env);
});

/** Runs a block of the page in a shell, with names of the test's own. @returns what it printed */
async function runBlock(name: string, renamed: Record<string, string>): Promise<string> {
  const [, code] = new RegExp(`^\`\`\`sh ${name}\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  if (code === undefined) throw new Error(`docs/other-languages.md has no block ${name}`);
  const text = Object.entries(renamed).reduce((all, [from, to]) => all.replaceAll(from, to), code);
  const { hostname, port, password } = new URL(inject('redisUrl'));
  // -e: it ends with 1 when Redis answers with an error.
  const script = text.replaceAll('redis-cli ', `redis-cli -e -h ${hostname} -p ${port || 6379} `);
  const env = { ...process.env, ...(password === '' ? {} : { REDISCLI_AUTH: decodeURIComponent(password) }) };
  const { stdout } = await run('sh', ['-euc', script], { env });
  return stdout.trim();
}

test('other languages: a job that redis-cli adds by the script of the page is stored, and a repetition adds nothing', async () => {
  const { namespace, client, queue, start, deadLetters, empty } = await anExecutionFleet();
  const names = { '{sluice:': `{${namespace}:` };
  expect(await runBlock('job', names)).toBe('1');
  expect(await runBlock('job', names)).toBe('0');
  expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 1 });
  expect((await queue.getJob('shop-1.1772600760000.1'))?.name).toBe('chunk');
  await start();
  await empty();
  const { rows } = await client.query('select id, strategy_id, points, recorded_at, notes from strategy_execution_log');
  expect(rows).toEqual([
    {
      id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
      strategy_id: 'loyalty',
      points: 12.5,
      recorded_at: new Date('2026-03-04T05:06:07.089Z'),
      notes: null,
    },
  ]);
  expect(await deadLetters()).toEqual([]);
});

test('other languages: a worker that waits wakes up for a job that redis-cli adds by the transaction of the page', async () => {
  const { namespace, client, add, start, ids } = await anExecutionFleet();
  await start();
  await add([recordText(1)]);
  await until(async () => (await ids()).length === 1);
  await runBlock('transaction', { '{sluice:': `{${namespace}:` });
  await until(async () => (await ids()).length === 2);
  const { rows } = await client.query("select status, error_code from strategy_execution_log where status <> 'ok'");
  expect(rows).toEqual([{ status: 'error', error_code: 'DSL_ARITH_DIV_BY_ZERO' }]);
});

test('other languages: what the script adds to a paused queue waits until it is resumed', async () => {
  const { namespace, queue, start, ids, empty } = await anExecutionFleet();
  await start();
  await queue.pause();
  await runBlock('job', { '{sluice:': `{${namespace}:` });
  expect(await openRawRedis().exists(`{${namespace}:execution-log}:execution-log:marker`)).toBe(0);
  expect(await queue.getWaitingCount()).toBe(1);
  expect(await ids()).toEqual([]);
  await queue.resume();
  await empty();
  expect(await ids()).toEqual(['0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f']);
});

test('other languages: a worker finds a shard to which only plain Redis commands have added a job', async () => {
  const { namespace, start, ids } = await anExecutionFleet();
  await start();
  const data = /'(\{"v":1.*\})' \\$/m.exec(page)?.[1] ?? '';
  const shard = 'execution-log-3';
  await addJob(openRawRedis(), { namespace, shard, jobId: 'shop-1.1772600760000.1', data });
  await until(async () => (await ids()).length === 1);
});

test('other languages: the shard of a request is what the page says', () => {
  const id = '7F0D6C52-2B7E-4C57-9A55-0F5F3F6A1B2C';
  expect(page).toContain('zlib.crc32(request_id.lower().encode()) % shards');
  for (const shards of [1, 2, 7, 256])
    expect(shardOfRequest(JSON.stringify({ requestId: id }), shards)).toBe(crc32(id.toLowerCase()) % shards);
});

test('other languages: the health event that redis-cli adds changes the record of its game', async () => {
  const place = await aHealthPlace();
  await place.insert({ game_id: 'game-1', status: 'running' });
  await place.start();
  await runBlock('health', { 'runtime:health_events': place.keys.stream });
  await place.settled();
  expect((await place.records())['game-1']).toMatchObject({ status: 'engine_unreachable', engine_health: 'exited' });
  expect(await place.deadLetters()).toEqual([]);
});
