import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eraseCreator } from '../../erasure/erase-creator.ts';
import { aCompletion, aRequestStore } from '../support/requests.ts';

test('erasure: killed in the middle it leaves whole requests and no orphan, nothing comes back, and the next call ends it', async () => {
  const { database, databaseUrl, store, rows, orphans } = await aRequestStore();
  const records = Array.from({ length: 500 }, () => aCompletion({ createdBy: 'gone' }));
  await store([...records, aCompletion({ createdBy: 'stays' })]);

  const child = spawn(process.execPath, [resolve('test/support/erasing-process.ts')], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: databaseUrl, TEST_CREATOR: 'gone' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');

  const left = (await rows()).length - 1;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(500);
  expect(await orphans()).toBe(0);
  expect(new Set(await store(records.slice(0, 50)))).not.toContain('inserted');

  const { requests, isDone } = await eraseCreator(database, 'gone', { chunk: 100 });
  expect([requests <= left, isDone]).toEqual([true, true]);
  expect(await rows()).toMatchObject([{ created_by: 'stays' }]);
  expect(await orphans()).toBe(0);
});
