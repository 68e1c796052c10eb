import { expect, inject, onTestFinished, test } from 'vitest';
import { compressed, filler } from '../../support/compressed-chunk.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { until, untilBlocked } from '../../support/fixtures.ts';
import { connectRedis } from '../../support/health.ts';

const chunkOf = (seq: number, records: readonly string[]): string =>
  `{"v":1,"producer":"test","epoch":1,"seq":${seq},"records":[${records.join(',')}]}`;

/** A fleet to which jobs are added with the very data that a test says. */
async function aFleet(environment: Record<string, string> = {}) {
  const fleet = await anExecutionFleet(environment);
  const redis = connectRedis(inject('redisUrl'));
  const addData = async (...all: string[]): Promise<void> => {
    await fleet.queue.pause();
    for (const data of all) {
      const job = await fleet.queue.add('chunk', {});
      await redis.hset(fleet.queue.toKey(job.id ?? ''), { data });
    }
    await fleet.queue.resume();
  };
  onTestFinished(() => fleet.queue.resume());
  return { ...fleet, addData };
}

test('compressed chunks: their records are stored beside those of plain ones, and a dead one keeps its very text', async () => {
  const { client, add, addData, start, ids, deadLetters, empty } = await aFleet();
  const bad = `{"id":"${idOf(3)}", "strategyId":12345678901234567890}`;
  await addData(compressed(chunkOf(1, [recordText(1), recordText(2), bad, recordText(4)]), 4));
  await add([recordText(5)]);
  await start();
  await empty();
  expect(await ids()).toEqual([1, 2, 4, 5].map(idOf));
  expect(await deadLetters()).toEqual([`${idOf(3)} schema`]);
  expect((await client.query('select payload, contract_version from dead_letter')).rows).toEqual([
    { payload: bad, contract_version: 1 },
  ]);
});

test('compressed chunks: what PostgreSQL refuses of one is found, and the others commit', async () => {
  const { client, addData, start, ids, deadLetters, empty } = await aFleet();
  await client.query(`alter table strategy_execution_log add constraint odd check (realm_id <> 'odd')`);
  const records = [1, 2, 3, 4, 5].map((n) => recordText(n, n === 4 ? { realmId: 'odd' } : {}));
  await addData(compressed(chunkOf(1, records), 5));
  await start();
  await empty();
  expect([await ids(), await deadLetters()]).toEqual([[1, 2, 3, 5].map(idOf), [`${idOf(4)} 23514`]]);
});

test('compressed chunks: bombs and damaged ones are dead letters, and nothing else is held up', async () => {
  const { client, addData, start, ids, empty } = await aFleet({
    SLUICE_WORKER_MAX_BYTES: '1048576',
    SLUICE_DEAD_SHARE_MAX: '1',
  });
  const large = compressed(chunkOf(1, [`"${'x'.repeat(60_000_000)}"`]));
  const bombs = [1_024, 60_000, 67_108_864, 67_108_865, 999_999_999].map((bytes) =>
    large.replace(/"bytes":\d+/, `"bytes":${bytes}`),
  );
  const cutOff = compressed(chunkOf(2, [recordText(9), JSON.stringify(filler)]), 2).replace(/.{40}"}$/, '"}');
  const good = [1, 2, 3, 4].map((n) => compressed(chunkOf(n, [recordText(n), JSON.stringify(filler)]), 2));
  await addData(...bombs, good[0] ?? '', cutOff, ...good.slice(1));
  await start();
  await empty();
  expect(await ids()).toEqual([1, 2, 3, 4].map(idOf));
  const { rows } = await client.query(
    `select left(reason, 40) as reason, payload, producer from dead_letter where reason like 'chunk: %'`,
  );
  expect(rows.map(({ payload }) => payload).sort()).toEqual([...bombs, cutOff].sort());
  expect(new Set(rows.map(({ producer }) => producer))).toEqual(new Set(['test']));
});

test.each([
  ['some of them where its memory allows no more once they are decompressed', 1, (active: number) => active < 20],
  ['all of them where its memory allows it', 64, (active: number) => active === 40],
])('compressed chunks: a worker takes %s', async (_what, mib, isRight) => {
  const { databaseUrl, client, queue, addData, start, ids, empty } = await aFleet();
  const jobs = 40;
  // 200 KiB each, some 1 KiB when they are compressed.
  const record = (n: number) => recordText(n, { input: 'x'.repeat(50_000) });
  await start({ SLUICE_WORKER_MAX_BYTES: String(mib * 1_048_576) });
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  await addData(...Array.from({ length: jobs }, (_, n) => compressed(chunkOf(n + 1, Array(4).fill(record(n + 1))), 4)));
  await untilBlocked(databaseUrl);
  let looks = 0;
  let active = 0;
  await until(async () => {
    looks += 1;
    active = Math.max(active, await queue.getActiveCount());
    return looks > 20 && isRight(active);
  });
  await client.query('commit');
  await empty();
  expect(await ids()).toHaveLength(jobs);
  expect(isRight(active)).toBe(true);
});
