import { expect, test } from 'vitest';
import { createPurgeTask } from '../../../workers/maintenance/purge-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { insertLetters } from '../../support/rows.ts';

const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, purged, messages } = await maintenanceDeps(environment);
  const client = await connect(databaseUrl);
  const letters = async () => {
    const { rows } = await client.query('select state, count(*)::int as n from dead_letter group by 1 order by 1');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  return { databaseUrl, deps, task: createPurgeTask(deps), client, purged, messages, letters };
}

test('purge: old letters that are dealt with go, young ones and open ones stay', async () => {
  const { client, task, letters } = await setUp();
  await insertLetters(client, 'replayed', 31, 3);
  await insertLetters(client, 'discarded', 31, 4);
  await insertLetters(client, 'replayed', 29, 5);
  await insertLetters(client, 'discarded', 29, 6);
  await insertLetters(client, 'open', 3_000, 7);
  expect(await task.preview()).toEqual({ wouldPurge: { dead_letter: 7 }, wouldRefuse: false });
  expect(await letters()).toEqual({ discarded: 10, open: 7, replayed: 8 });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 7 } });
  expect(await letters()).toEqual({ discarded: 6, open: 7, replayed: 5 });
});

test('purge: many go in batches of a thousand, each by itself', async () => {
  const { client, task, purged, letters } = await setUp();
  await insertLetters(client, 'discarded', 31, 2_500);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 2_500 } });
  expect(purged).toEqual([1_000, 1_000, 500]);
  expect(await letters()).toEqual({});
});

test('purge: asked to stop, it ends after a batch, and the next run does the rest', async () => {
  const { client, deps, letters, messages } = await setUp();
  await insertLetters(client, 'discarded', 31, 2_500);
  const stop = new AbortController();
  const task = createPurgeTask({ ...deps, onPurged: () => stop.abort() });
  expect(await task.run(stop.signal)).toEqual({ outcome: 'interrupted', purged: { dead_letter: 1_000 } });
  expect(await letters()).toEqual({ discarded: 1_500 });
  expect(messages()).toEqual(['purge stopped']);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 1_500 } });
});

test('purge: two at once purge each row once, and leave what somebody else holds', async () => {
  const { databaseUrl, client, task, letters } = await setUp();
  await insertLetters(client, 'discarded', 31, 5_000);
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('select from dead_letter limit 10 for update');
  const reports = await Promise.all([task.run(signal), task.run(signal)]);
  expect(reports.reduce((sum, { purged }) => sum + (purged['dead_letter'] ?? 0), 0)).toBe(4_990);
  await holder.query('commit');
  expect(await letters()).toEqual({ discarded: 10 });
});

test('purge: 0 days keep everything, and so do clocks that do not agree', async () => {
  const { client, task, letters } = await setUp({ SLUICE_DEAD_LETTER_RETENTION_DAYS: '0' });
  await insertLetters(client, 'discarded', 3_000, 5);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: {} });
  expect(await letters()).toEqual({ discarded: 5 });

  const skewed = await setUp();
  await insertLetters(skewed.client, 'discarded', 3_000, 5);
  const refusing = createPurgeTask({ ...skewed.deps, now: () => Date.now() + 2 * 86_400_000 });
  expect(await refusing.run(signal)).toEqual({ outcome: 'refused', purged: {} });
  expect(await skewed.letters()).toEqual({ discarded: 5 });
});
