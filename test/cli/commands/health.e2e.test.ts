import { expect, inject, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { connect, createTestDatabase } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { addEvent, connectRedis, createHealthKeys, insertRuntimeRecord } from '../../support/health.ts';

async function setUp() {
  const databaseUrl = await createTestDatabase();
  const keys = createHealthKeys();
  const servers = { DATABASE_URL: databaseUrl, REDIS_URL: inject('redisUrl') };
  const run = async (args: string[], environment: Record<string, string> = {}) => {
    const call = await startSluice(args, { ...servers, ...keys.environment, ...environment });
    const exitCode = await call.ended;
    return { exitCode, stdout: call.stdout.join('\n'), stderr: call.stderr.join('\n') };
  };
  return { ...keys, run, redis: connectRedis(), client: await connect(databaseUrl) };
}

test('health: the offset is set and shown, and the status is told, as text and as JSON', async () => {
  const { run, redis, stream, client } = await setUp();
  for (const id of ['1-0', '2-0', '3-0']) await addEvent(redis, stream, {}, id);
  await insertRuntimeRecord(client);
  const set = await run(['health', 'offset', 'set', '1-0']);
  expect(set).toEqual({ exitCode: 0, stderr: '', stdout: 'health_events: offset set to 1-0, was 0-0' });
  const shown = (await run(['health', 'offset', 'show'])).stdout;
  expect(shown).toContain(`stream    ${stream}: 3 entries, 1-0 to 3-0\nstored    1-0, saved 2`);
  expect(shown).toMatch(/position {2}after 1-0 \(mode hardened\)\nbehind {4}2 entries\nlost {6}0 entries$/);
  const asJson = JSON.parse((await run(['health', 'offset', 'show', '--json'])).stdout);
  expect(asJson).toMatchObject({ offset: '1-0', savedIn: 'postgres', entriesBehind: 2, stored: { entriesRead: 1 } });

  const status = await run(['health', 'status']);
  expect(status.exitCode).toBe(0);
  expect(status.stdout).toContain('consumer      no consumer has held the lease yet');
  expect(status.stdout).toMatch(/lag {11}2 entries, \d+ ms\ngames {9}1 running\nstuck {9}none\noutbox {8}empty/);
  expect(status.stdout).toMatch(/lost {10}none\ndead letters {2}0 open$/);
});

test('health: in mirror mode the offset is set in Redis, for a worker that is started then', async () => {
  const { run, redis, stream, offsetKey } = await setUp();
  await addEvent(redis, stream, {}, '1-0');
  const { exitCode, stdout } = await run(['health', 'offset', 'set', 'latest'], { HEALTH_EVENTS_MODE: 'mirror' });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('start the worker now');
  expect(await redis.get(offsetKey)).toBe('1-0');
});

test('health: what cannot be set fails, and what is no offset is a mistake of the call', async () => {
  const { run, redis, stream } = await setUp();
  await addEvent(redis, stream, {}, '1-0');
  const beyond = await run(['health', 'offset', 'set', '2-0']);
  expect(beyond.exitCode).toBe(1);
  expect(beyond.stderr).toMatch(/^sluice: 2-0 is after the last entry of .*--force/);
  const noId = await run(['health', 'offset', 'set', '$']);
  expect(noId.exitCode).toBe(2);
  expect(noId.stderr).toContain('1700000000000-0');
});

test('health: a Redis that is away, or has something else there, is told as such, without a secret', async () => {
  const { run, redis, stream } = await setUp();
  const away = await run(['health', 'status'], { REDIS_URL: `redis://:s3cret@127.0.0.1:${await freePort()}` });
  expect(away.exitCode).toBe(1);
  expect(away.stderr).toMatch(/^sluice: Redis: .*ECONNREFUSED/);
  expect(away.stderr).not.toContain('s3cret');
  await redis.set(stream, 'of another type');
  const other = await run(['health', 'status']);
  expect(other.exitCode).toBe(1);
  expect(other.stderr).toMatch(/^sluice: Redis: WRONGTYPE/);
});

test('doctor: from the command line it tells of health events that nobody reads', async () => {
  const { run, redis, stream } = await setUp();
  await addEvent(redis, stream, {}, '1-0');
  const { exitCode, stdout } = await run(['doctor']);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^✗ failure +health events +lag +.*1-0/m);
  expect(stdout).toMatch(/^! warning +health events +consumer .*sluice worker health-events$/m);
});
