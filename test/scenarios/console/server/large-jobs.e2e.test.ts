import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { createNamespace, createTestDatabase, openQueue, until } from '../../../support/fixtures.ts';
import { startSluice } from '../../../support/fleet.ts';

const mib = 1_048_576;
const jobs = 120;
const bodyChars = mib;

interface ShownJob {
  data: Record<string, unknown>;
}

interface Answer {
  queues?: { name: string; jobs: ShownJob[] }[];
  job?: ShownJob;
}

/** The most memory that a process has had, in MiB. */
function peakMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}

test('console: pages of large jobs cost what a page may cost, however many are asked for at once', async () => {
  const namespace = createNamespace();
  const queue = openQueue(namespace, inject('redisUrl'), 'completed-request');
  const body = 'x'.repeat(bodyChars);
  for (let n = 0; n < jobs; n += 1) {
    const records = [{ requestId: String(n), requestBody: `日${body}`, responseBody: body }];
    await queue.add('chunk', { v: 1, producer: 'p-1', epoch: 5, seq: n, records }, { jobId: `p-1.5.${n}` });
  }
  const board = await startSluice(['console'], {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: namespace,
    SLUICE_CONSOLE_PORT: '0',
  });
  const line = await until(() => board.stdout.find((text) => text.includes('console is up')));
  const api = `${String(JSON.parse(line).url)}/queues/api/queues`;
  const list = `${api}?activeQueue=completed-request&status=waiting&jobsPerPage=`;
  await fetch(`${list}1`);
  const before = peakMib(board.pid);

  const [page, all, one] = await Promise.all(
    [`${list}10`, `${list}100`, `${api}/completed-request/p-1.5.7`].map(
      async (url) => (await fetch(url)).json() as Promise<Answer>,
    ),
  );
  const shown = (answer: Answer | undefined) =>
    answer?.queues?.find(({ name }) => name === 'completed-request')?.jobs ?? [];
  expect(shown(page)).toHaveLength(10);
  expect(shown(all)).toHaveLength(100);
  for (const { data } of shown(all))
    expect(data).toMatchObject({
      ...{ producer: 'p-1', epoch: 5, bytes: expect.any(Number) },
      notShown: "the job's data of 2.0 MiB is too large to be shown here",
    });
  expect(one?.job?.data).toMatchObject({ producer: 'p-1', seq: 7, recordCount: 1 });
  expect(one?.job?.data['records']).toEqual([
    {
      requestId: '7',
      requestBody: expect.stringMatching(/^hidden/),
      responseBody: `hidden: text of ${bodyChars} characters`,
    },
  ]);

  const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await fetch(`${list}100`)).status));
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  // Before, a single page took 775 MiB more.
  expect(peakMib(board.pid) - before).toBeLessThan(150);
}, 120_000);
