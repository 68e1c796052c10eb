import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { type SluiceProcess, startSluice } from '../../support/fleet.ts';
import { liveMemoryMib, tellLiveMemory } from '../../support/live-memory.ts';
import { startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { aCompletion } from '../../support/requests.ts';

const mib = 1_048_576;
/** What V8 takes of a container of 512 MiB: see shared/platform/container-heap.ts. Its young generation is small in small containers. */
const heapFlags = '--max-old-space-size=307 --max-semi-space-size=1';

const body = (char: string) => char.repeat(mib);
/** Two bodies as large as they may be, and one character that makes each of the text take two bytes. */
const wide = () => aCompletion({ requestBody: `${body('x')}日`, responseBody: body('y') });
/** As large as JSON makes them: six characters for each of a body. */
const escaped = () => aCompletion({ requestBody: `${body('\x01')}日`, responseBody: body('\x02') });
/** PostgreSQL takes no NUL. */
const dead = () => aCompletion({ requestBody: body('x'), responseBody: `\0${body('y')}` });
/** Many small objects, which parsed take twenty times as much as their text. */
const limits = () => ({ nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 });
const execution = () => ({
  ...JSON.parse(toExecutionRecord(anExecution(), limits()).json),
  input: Array.from({ length: 20_000 }, () => ({})),
  externalUserId: '日',
});

function peakMib({ pid }: SluiceProcess): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}

test('worker: with both roles it lives in 512 MiB under a backlog as large as may be, and keeps nothing of it', async () => {
  const postgres = await startMigratedPostgres();
  const namespace = createNamespace();
  const [requests, executions] = (['completed-request', 'execution-log'] as const).map((name) =>
    openQueue(namespace, inject('redisUrl'), name),
  );
  if (requests === undefined || executions === undefined) throw new Error('there is no queue');
  let seq = 0;
  const add = async (queue: typeof requests, records: unknown[]): Promise<void> => {
    seq += 1;
    await queue.add('chunk', { v: 1, producer: 'p', epoch: 1, seq, records }, { jobId: `p.1.${seq}` });
  };
  for (let round = 0; round < 12; round += 1) {
    for (let n = 0; n < 4; n += 1) await add(requests, [wide()]);
    await add(requests, [escaped()]);
    await add(requests, [dead()]);
    for (let n = 0; n < 4; n += 1) await add(executions, [execution(), execution(), execution()]);
  }
  await postgres.kill();
  const worker = await startSluice(['worker', 'execution-log', 'completed-request'], {
    DATABASE_URL: postgres.url,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: namespace,
    SLUICE_WORKER_PORT: '0',
    SLUICE_RETRY_MAX_MS: '200',
    // Half of all requests of the test are dead.
    SLUICE_DEAD_SHARE_MAX: '1',
    NODE_OPTIONS: `${heapFlags} ${tellLiveMemory}`,
  });
  // Its hands are full, though there are slots for a hundred jobs.
  await until(
    async () => (await requests.getActiveCount()) > 2 && worker.stdout.some((text) => text.includes('trouble')),
  );
  await postgres.startAgain();
  const isDrained = async () =>
    (
      await Promise.all([requests, executions].map((queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed')))
    ).every((count) => count === 0);
  const ended = worker.ended.then((how) => `the worker has ended: ${how}`);
  await Promise.race([ended.then((how) => Promise.reject(new Error(how))), untilLong(isDrained)]);

  const client = await connect(postgres.url);
  const { rows } = await client.query(`select (select count(*) from request)::int as requests,
    (select count(*) from strategy_execution_log)::int as executions, (select count(*) from dead_letter)::int as "deadLetters"`);
  expect(rows).toEqual([{ requests: 60, executions: 144, deadLetters: 12 }]);
  expect(await requests.getFailedCount()).toBe(0);
  expect(peakMib(worker)).toBeLessThan(512);
  // Its last hundred statements alone carried 400 MB.
  expect(await liveMemoryMib(worker)).toBeLessThan(70);
}, 300_000);

/** A busy machine takes its time for half a gigabyte. */
async function untilLong(ask: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) if (await until(ask).catch(() => false)) return;
  throw new Error('the queues are not drained');
}
