import { expect, inject, test } from 'vitest';
import { jobName } from '../../../shared/contracts/queues.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { aBeginning, aCompletion } from '../../support/requests.ts';
import { startRole } from '../../support/worker.ts';

/** Rows that somebody holds in an open transaction make their own records wait, and no other. */

const statementTimeoutMs = 10_000;
let seq = 0;
const chunkOf = (records: unknown[]) => {
  seq += 1;
  return { v: 1, producer: 'test', epoch: 1, seq, records };
};

async function aFleet() {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace, inject('redisUrl'), 'completed-request');
  const worker = await startRole(createCompletedRequest, databaseUrl, namespace, {
    SLUICE_JOB_DELAY_MS: '300',
    SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: String(statementTimeoutMs),
    SLUICE_STUCK_AFTER_MS: '60000',
  });
  const [client, holder] = [await connect(databaseUrl), await connect(databaseUrl)];
  const states = async (): Promise<Record<string, number>> => {
    const { rows } = await client.query('select state, count(*)::int as n from request group by 1');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  const add = (...chunks: unknown[][]) =>
    queue.addBulk(chunks.map((records) => ({ name: jobName, data: chunkOf(records) })));
  const empty = () =>
    until(async () => {
      const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
      return waiting === 0 && active === 0 && delayed === 0;
    });
  return { queue, worker, client, holder, states, add, empty };
}

test('locked rows: of two hundred running requests two are held; all others end while they are, and the two after it', async () => {
  const { queue, worker, client, holder, states, add, empty } = await aFleet();
  const begun = Array.from({ length: 200 }, () => aBeginning());
  await add(begun);
  await empty();
  await holder.query('begin');
  await holder.query('select from request where id = any($1) for update', [
    [begun[3], begun[150]].map((one) => one?.requestId),
  ]);

  const startedAt = performance.now();
  const chunks = Array.from({ length: 10 }, (_, part) =>
    begun.slice(part * 20, part * 20 + 20).map(({ requestId }) => aCompletion({ requestId })),
  );
  await add(...chunks, ...Array.from({ length: 10 }, () => Array.from({ length: 20 }, () => aCompletion())));
  await until(async () => (await states())['completed'] === 398);
  // No statement has waited: one that does waits this long.
  expect(performance.now() - startedAt).toBeLessThan(statementTimeoutMs);
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 4);
  expect(await states()).toEqual({ completed: 398, processing: 2 });
  expect(await worker.metric('sluice_statement_retries_total', {})).toBe(0);

  await holder.query('rollback');
  await empty();
  expect(await states()).toEqual({ completed: 400 });
  expect((await client.query('select from dead_letter')).rowCount).toBe(0);
  expect(await queue.getFailedCount()).toBe(0);
}, 60_000);

test.each([
  ['is being inserted by somebody else', 'request'],
  ['has a template that somebody else is inserting', 'template'],
])(
  'locked rows: a record whose row %s waits alone',
  async (_what, where) => {
    const { queue, worker, client, holder, states, add, empty } = await aFleet();
    const held = aCompletion();
    await holder.query('begin');
    const template = `encode(substring(sha256(convert_to('sluice:request_template:' || '${held.requestId}', 'UTF8')) for 16), 'hex')::uuid`;
    await holder.query(
      `insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
     values (${template}, 'POST', '/', 'm', '', 'utf8', 0, false, now())`,
    );
    if (where === 'request')
      await holder.query(
        `insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, created_at, claimed_at, started_at)
       values ($1, ${template}, 'processing', 'm', 'priority', 'user-1', $1, now(), now(), now())`,
        [held.requestId],
      );
    await add(
      [aCompletion(), held, aCompletion()],
      ...Array.from({ length: 20 }, () => [aCompletion(), aCompletion()]),
    );
    await until(async () => (await states())['completed'] === 42);
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 1);
    await holder.query('rollback');
    await empty();
    expect(await states()).toEqual({ completed: 43 });
    expect((await client.query('select from dead_letter')).rowCount).toBe(0);
    expect(await queue.getFailedCount()).toBe(0);
  },
  60_000,
);
