import { expect, inject, test } from 'vitest';
import { createLogger } from '../../../../shared/platform/logging/logger.ts';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { createImpatientConnection } from '../../../../workers/health-events/mirror/connection.ts';
import type { MirrorDeps } from '../../../../workers/health-events/mirror/consumer.ts';
import { readEntries } from '../../../../workers/health-events/mirror/read-loop.ts';
import { until } from '../../../support/fixtures.ts';
import { connectRedis } from '../../../support/health.ts';
import { recordsAfterStory, story, storyStatuses } from '../../../support/health-story.ts';
import { aMirror, before, failingAt, type Mirror, toldToFail } from '../../../support/mirror.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { targetOf } from '../../../support/redis-target.ts';

/** The numbers in the names are those of section 6 of the specification, or of section 7 where that is said. */

const anHourMs = 3_600_000;

/** Runs a consumer until so many entries have been dealt with and their offsets saved. */
async function runFor(mirror: Mirror, entries: number, overrides: Partial<MirrorDeps> = {}): Promise<void> {
  const abort = new AbortController();
  const saved = mirror.seen.saved.length + entries;
  const running = mirror.start({ reader: mirror.openReader(), ...overrides }).run(abort.signal);
  await Promise.race([running, until(() => mirror.seen.saved.length >= saved)]);
  await untilReading(mirror);
  abort.abort();
  await running;
}

/** Waits until the consumer of the mirror is blocked in a read of its stream. @returns the id of its connection */
async function untilReading({ keys, redis }: Mirror): Promise<string> {
  const blocked = new RegExp(`^id=(\\d+) .* name=${keys.service} .* flags=b .* cmd=xread `, 'm');
  return until(async () => blocked.exec(String(await redis.client('LIST')))?.[1]);
}

test('mirror: 32. aborted before it begins, a run asks for nothing and ends', async () => {
  const { deps, log, start } = await aMirror();
  const { run } = start({ offsets: failingAt(deps.offsets, 'load') });
  await run(AbortSignal.abort());
  expect(log).toEqual([]);
});

test('mirror: 32. a run without a signal is refused', async () => {
  const { start } = await aMirror();
  await expect(start().run(undefined as never)).rejects.toThrow(TypeError);
});

test('mirror: 33. an offset that cannot be loaded ends the run', async () => {
  const { deps, log, start } = await aMirror();
  const run = start({ offsets: failingAt(deps.offsets, 'load') }).run(new AbortController().signal);
  await expect(run).rejects.toMatchObject({ message: expect.stringContaining('load its offset'), cause: toldToFail });
  expect(log).toEqual([]);
});

test('mirror: 34. without an offset a run begins with the first entry of the stream', async () => {
  const mirror = await aMirror();
  const ids = [await mirror.add(), await mirror.add()];
  await runFor(mirror, 2);
  expect(mirror.seen.saved).toEqual(ids);
  expect(mirror.log).toMatchObject([
    { level: 30, start_entry_id: '0-0', block_timeout: '50ms' },
    { level: 40, stream_entry_id: ids[0] },
    { level: 40, stream_entry_id: ids[1] },
    { level: 30, msg: 'health events consumer stopped' },
  ]);
});

test('mirror: 35. with an offset a run begins with the entry after it, wherever that offset comes from', async () => {
  const mirror = await aMirror();
  const ids = [await mirror.add(), await mirror.add(), await mirror.add()];
  await mirror.redis.set(mirror.keys.offsetKey, ids[1] ?? '');
  await runFor(mirror, 1);
  expect(mirror.seen).toMatchObject({ saved: [ids[2]], consumed: 1 });
});

test('mirror: 36. after each entry its id is saved, whatever the entry was, as plain text that does not expire', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const events = [{}, { game_id: undefined }, { event_type: 'unknown' }, { game_id: 'game-2' }, {}];
  const ids: string[] = [];
  for (const event of events) ids.push(await mirror.add(event));
  const offsets: (string | null)[] = [];
  await runFor(mirror, events.length, {
    records: before(mirror.deps.records, async (method) => {
      if (method === 'get') offsets.push(await mirror.savedOffset());
    }),
  });
  expect(mirror.seen).toMatchObject({ saved: ids, consumed: 5 });
  // Read twice for the first entry, and once for the two others that get that far; each time after the one before it.
  expect(offsets).toEqual([null, null, ids[2], ids[3]]);
  expect(await mirror.savedOffset()).toBe(ids[4]);
  expect(await mirror.redis.ttl(mirror.keys.offsetKey)).toBe(-1);
});

test('mirror: 37. an offset that cannot be saved ends the run, and the entry is taken again in the next', async () => {
  const mirror = await aMirror();
  const id = await mirror.add();
  const run = mirror.start({ offsets: failingAt(mirror.deps.offsets, 'save') }).run(new AbortController().signal);
  await expect(run).rejects.toMatchObject({ message: expect.stringContaining('save its offset'), cause: toldToFail });
  expect(mirror.seen).toMatchObject({ consumed: 1, saved: [] });
  await runFor(mirror, 1);
  expect(mirror.seen).toMatchObject({ consumed: 2, saved: [id] });
});

test('mirror: 38. while there is nothing to read it goes on asking', async () => {
  const mirror = await aMirror();
  const reader = mirror.openReader();
  let reads = 0;
  const counting = before(reader, () => {
    reads += 1;
  });
  const adding = until(() => reads >= 4).then(() => mirror.add());
  await runFor(mirror, 1, { reader: counting, blockMs: 1 });
  expect(mirror.seen.saved).toEqual([await adding]);
});

test('mirror: 39. aborted while it waits for an entry, it ends at once, and its connection is closed', async () => {
  const mirror = await aMirror();
  const reader = mirror.openReader();
  const abort = new AbortController();
  const run = mirror.start({ reader, blockMs: anHourMs }).run(abort.signal);
  await untilReading(mirror);
  abort.abort();
  await run;
  await until(() => reader.status === 'end');
  expect(mirror.log.at(-1)).toMatchObject({ msg: 'health events consumer stopped' });
});

test('mirror: 40. an error that Redis answers a read with ends the run', async () => {
  const mirror = await aMirror();
  await mirror.redis.set(mirror.keys.stream, 'no stream');
  const run = mirror.start().run(new AbortController().signal);
  await expect(run).rejects.toMatchObject({
    message: expect.stringContaining('read its stream'),
    cause: { message: expect.stringMatching(/^WRONGTYPE/) },
  });
  expect(mirror.log.at(-1)).toMatchObject({ msg: 'health events consumer stopped' });
});

test.each(['abc', '5-', '-', '', ' '])(
  'mirror: 40. an offset %j that is none ends each run, and stays',
  async (offset) => {
    const mirror = await aMirror();
    await mirror.redis.set(mirror.keys.offsetKey, offset);
    for (const { run } of [mirror.start(), mirror.start()]) {
      await expect(run(new AbortController().signal)).rejects.toMatchObject({
        cause: { message: expect.stringMatching(/^ERR Invalid stream ID/) },
      });
    }
    expect(await mirror.savedOffset()).toBe(offset);
  },
);

test('mirror: 40. a connection that somebody else closes ends the run', async () => {
  const mirror = await aMirror();
  const reader = mirror.openReader();
  const run = mirror.start({ reader, blockMs: anHourMs }).run(new AbortController().signal);
  const failed = expect(run).rejects.toMatchObject({ cause: { message: 'Connection is closed.' } });
  await untilReading(mirror);
  reader.disconnect();
  await failed;
});

/** A consumer whose reader is connected, as a worker's would be, to a Redis of the test's own. */
async function aFragileReader() {
  const server = await startFragileRedis();
  const redis = createRedis(targetOf(server.url), { role: 'worker', name: 'test', logger: null });
  const mirror = await aMirror();
  const reader = createImpatientConnection(redis, mirror.keys.service);
  return { server, reader, mirror: { ...mirror, redis: connectRedis(server.url) } };
}

test('mirror: 40. a Redis that is gone ends the run', async () => {
  const { mirror, reader, server } = await aFragileReader();
  const run = mirror.start({ reader, blockMs: anHourMs }).run(new AbortController().signal);
  const failed = expect(run).rejects.toMatchObject({ cause: { message: expect.stringContaining('max retries') } });
  await untilReading(mirror);
  await server.kill();
  await failed;
  reader.disconnect();
});

test('mirror: 40. a Redis that answers no more ends the run', async () => {
  const { mirror, reader, server } = await aFragileReader();
  const run = mirror.start({ reader, blockMs: 200, silenceMs: 800 }).run(new AbortController().signal);
  const failed = expect(run).rejects.toMatchObject({
    cause: { message: 'Redis has not answered for 1000 ms' },
  });
  await untilReading(mirror);
  server.freeze();
  await failed;
  reader.disconnect();
});

test('mirror: section 7. a connection that is cut once is made again, and the run goes on', async () => {
  const mirror = await aMirror();
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'worker', name: 'test', logger: null });
  const reader = createImpatientConnection(redis, mirror.keys.service);
  const abort = new AbortController();
  const run = mirror.start({ reader, blockMs: anHourMs }).run(abort.signal);
  const first = await untilReading(mirror);
  await mirror.redis.client('KILL', 'ID', first);
  await until(async () => (await untilReading(mirror)) !== first);
  const id = await mirror.add();
  await until(() => mirror.seen.saved.includes(id));
  await untilReading(mirror);
  abort.abort();
  await run;
});

test('mirror: 41. shutting down is the abort and nothing else: a second one, and one after the end, do no harm', async () => {
  const mirror = await aMirror();
  const abort = new AbortController();
  const consumer = mirror.start({ blockMs: anHourMs });
  const run = consumer.run(abort.signal);
  await untilReading(mirror);
  abort.abort();
  abort.abort();
  await run;
  abort.abort();
  await consumer.run(abort.signal);
  expect(mirror.log.map(({ msg }) => msg)).toEqual([
    'health events consumer started',
    'health events consumer stopped',
  ]);
});

test('mirror: 42. many events of many games: every record and every snapshot, in order', async () => {
  const mirror = await aMirror();
  for (const [game_id, status] of Object.entries(storyStatuses)) await mirror.insert({ game_id, status });
  const ids: string[] = [];
  for (const [game_id, event_type] of story) ids.push(await mirror.add({ game_id, event_type }));

  await runFor(mirror, story.length);

  expect(mirror.seen).toMatchObject({ saved: ids, consumed: story.length });
  const snapshots = story.flatMap(([game, , snapshot]) => (snapshot === null ? [] : [[game, ...snapshot]]));
  expect(
    (await mirror.lobby()).map((entry) => [entry['game_id'], entry['runtime_status'], entry['engine_health_summary']]),
  ).toEqual(snapshots);
  expect(mirror.seen.published).toHaveLength(snapshots.length);
  expect(Object.values(await mirror.records()).map((row) => [row.game_id, row.status, row.engine_health])).toEqual(
    recordsAfterStory,
  );
});

test('mirror: section 7. aborted amid an entry, the stores are asked no more, the run fails, and the entry comes again', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const id = await mirror.add({ event_type: 'container_oom' });
  const abort = new AbortController();
  const reason = new Error('the worker is stopping');
  const records = before(mirror.deps.records, () => abort.abort(reason));
  const run = mirror.start({ records }).run(abort.signal);
  await expect(run).rejects.toMatchObject({
    message: expect.stringContaining('save its offset'),
    cause: reason,
  });
  expect(mirror.seen).toMatchObject({ consumed: 1, saved: [], published: [] });
  expect((await mirror.records())['game-1']).toMatchObject({ status: 'running', engine_health: '' });
  await runFor(mirror, 1);
  expect(mirror.seen.saved).toEqual([id]);
  expect((await mirror.records())['game-1']?.status).toBe('engine_unreachable');
});

test('mirror: section 7. an entry that the handler holds on to is read again, and its offset is not saved', async () => {
  const mirror = await aMirror();
  const ids = [await mirror.add(), await mirror.add()];
  const abort = new AbortController();
  const handled: string[] = [];
  const loop = {
    ...mirror.deps,
    label: mirror.keys.label,
    silenceMs: 10_000,
    logger: createLogger({ level: 'silent', name: 'test' }),
  };
  const run = readEntries(
    {
      ...loop,
      async handle({ id }) {
        handled.push(id);
        return handled.length > 2;
      },
    },
    abort.signal,
  );
  await until(() => mirror.seen.saved.length === 2);
  await untilReading(mirror);
  abort.abort();
  await run;
  expect(handled).toEqual([ids[0], ids[0], ids[0], ids[1]]);
  expect(mirror.seen.saved).toEqual(ids);
});
