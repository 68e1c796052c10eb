import { expect, test } from 'vitest';
import { createPartitionsTask } from '../../../workers/maintenance/partitions-task.ts';
import { createPurgeTask } from '../../../workers/maintenance/purge-task.ts';
import { createRetentionTask } from '../../../workers/maintenance/retention-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';

const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, ...told } = await maintenanceDeps(environment);
  const client = await connect(databaseUrl);
  const chunk = (seq: number, dayAt: string, firstAt = 'now()') =>
    client.query(
      `insert into ledger_chunk (day_at, producer, epoch, life, queue, seq, before, total, parts, stored, seen, stored_places,
        seen_places, dead_places, first_at)
      values (${dayAt}, 'p', 1, 'a', 'execution-log', ${seq}, 0, 1, '[]', 1, 1, '1', '1', '0', ${firstAt})`,
    );
  const partitions = async (): Promise<string[]> =>
    (
      await client.query(
        `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'ledger_chunk'::regclass order by 1`,
      )
    ).rows.map(({ name }) => name);
  const seqs = async (): Promise<number[]> =>
    (await client.query('select seq::int from ledger_chunk order by seq')).rows.map(({ seq }) => seq);
  return { deps, client, chunk, partitions, seqs, ...told };
}

test('ledger: its days are made ahead of time, and those that are older than it is kept are dropped', async () => {
  const { deps, client, chunk, partitions, seqs, dropped } = await setUp({ SLUICE_PARTITION_DAYS_AHEAD: '2' });
  await client.query(
    `create table ledger_old partition of ledger_chunk for values from ('2026-01-01Z') to ('2026-01-02Z')`,
  );
  await chunk(1, `'2026-01-01T10:00Z'`);
  await createPartitionsTask(deps).run(signal);
  // Yesterday's, today's and two more.
  expect(await partitions()).toHaveLength(6);
  await chunk(2, 'now()');
  await chunk(3, `now() + interval '1 day'`);
  expect((await client.query('select from only ledger_chunk_default')).rowCount).toBe(0);

  const task = createRetentionTask(deps);
  expect(await task.preview()).toEqual({ wouldDrop: ['ledger_old'], wouldRefuse: false });
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', dropped: ['ledger_old'], overdue: 0 });
  expect([dropped, await seqs()]).toEqual([['ledger_old'], [2, 3]]);
});

test('ledger: 0 days keep it for ever', async () => {
  const { deps, client, partitions } = await setUp({ SLUICE_LEDGER_RETENTION_DAYS: '0' });
  await client.query(
    `create table ledger_old partition of ledger_chunk for values from ('2020-01-01Z') to ('2020-01-02Z')`,
  );
  await createRetentionTask(deps).run(signal);
  await createPurgeTask(deps).run(signal);
  expect(await partitions()).toContain('ledger_old');
});

test('ledger: what lies in the DEFAULT partition, lives and minutes go by the days since they came', async () => {
  const { deps, client, chunk, seqs } = await setUp();
  await chunk(1, `'1970-01-01Z'`, `now() - interval '31 days'`);
  await chunk(2, `'1970-01-01Z'`, `now() - interval '29 days'`);
  for (const [realm, minuteAt, storedAt] of [
    ['old', 31, 31],
    ['late', 31, 1],
    ['new', 1, 1],
    ['ahead', -400, 31],
    ['ahead, new', -400, 29],
  ] as const)
    await client.query(
      `insert into ledger_minute (producer, epoch, life, queue, minute_at, realm, recorded, sampled_out, disabled, dropped, dropped_by,
        refused, chunked, sent, handed, stored_at)
      values ('p', 1, 'a', 'execution-log', now() - make_interval(days => $1), $2, 1, 0, 0, 0, '{}', 0, 0, 0, 0, now() - make_interval(days => $3))`,
      [minuteAt, realm, storedAt],
    );
  for (const [life, days] of [
    ['old', 31],
    ['new', 29],
  ] as const)
    await client.query(
      `insert into ledger_life (producer, epoch, life, queue, kind, report, reported_at, last_at, lag_ms, least_lag_ms, is_final, last_seq,
        chunked_records, waiting_records, unacknowledged, spilled_records, taken_over_records, recorded, sampled_out, disabled, dropped,
        dropped_by, refused, chunked, sent, handed)
      values ('p', 1, $1, 'execution-log', 'x', 1, now(), now() - make_interval(days => $2), 0, 0, true, 0, 0, 0, '[]', 0, 0, 0, 0, 0, 0, '{}', 0, 0, 0, 0)`,
      [life, days],
    );
  expect(await createPurgeTask(deps).run(signal)).toMatchObject({
    outcome: 'done',
    purged: { ledger_minute: 2, ledger_life: 1, ledger_chunk_default: 1 },
  });
  expect(await seqs()).toEqual([2]);
  const { rows } = await client.query('select realm from ledger_minute order by realm');
  expect(rows.map(({ realm }) => realm)).toEqual(['ahead, new', 'late', 'new']);
  expect((await client.query('select life from ledger_life')).rows).toEqual([{ life: 'new' }]);
});
