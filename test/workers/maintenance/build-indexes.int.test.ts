import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { buildLackingIndexes } from '../../../workers/maintenance/build-indexes.ts';
import { createPartitionsTask } from '../../../workers/maintenance/partitions-task.ts';
import { connect, until } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { createDay, insertExecution } from '../../support/rows.ts';

const table = 'strategy_execution_log';
const parent = `${table}_trace_id_idx`;
const { signal } = new AbortController();

/** A table with partitions of before the index, and one of after it. */
async function setUp() {
  const { deps } = await maintenanceDeps();
  const client = await connect(deps.config.database.url ?? '');
  const days = [await createDay(client, 3), await createDay(client, 2), await createDay(client, 1)];
  for (const { noon } of days) await insertExecution(client, noon, 10);
  await client.query(`drop index ${parent}`);
  await client.query(`create index ${parent} on only ${table} (trace_id, recorded_at) where trace_id is not null`);
  return { deps, client };
}

/** Each partition with the index that it has for this. */
async function indexesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select indrelid::regclass::text as name from pg_inherits join pg_index on indexrelid = inhrelid
     where inhparent = '${parent}'::regclass and indisvalid order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function partitionsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = '${table}'::regclass order by 1`,
  );
  return rows.map(({ name }) => name);
}

const isWhole = async (client: pg.Client): Promise<boolean> =>
  (await client.query(`select indisvalid from pg_index where indexrelid = '${parent}'::regclass`)).rows[0].indisvalid;

test('indexes: what partitions lack is built on each of them, and then nothing is lacking', async () => {
  const { deps, client } = await setUp();
  expect([await indexesOf(client), await isWhole(client)]).toEqual([[], false]);
  const report = await buildLackingIndexes(deps, table, signal);
  const partitions = await partitionsOf(client);
  expect(partitions.length).toBeGreaterThan(3);
  expect(report).toEqual({ indexed: partitions.toReversed(), waiting: null });
  expect([await indexesOf(client), await isWhole(client)]).toEqual([partitions, true]);
  expect(await buildLackingIndexes(deps, table, signal)).toEqual({ indexed: [], waiting: null });
});

test('indexes: a partition that is made after the migration has them from the beginning', async () => {
  const { deps } = await maintenanceDeps();
  const client = await connect(deps.config.database.url ?? '');
  expect(await indexesOf(client)).toEqual([]);
  const { created, indexed, outcome } = await createPartitionsTask(deps).run(signal);
  expect(created.length).toBeGreaterThan(1);
  expect({ indexed, outcome }).toEqual({ indexed: [`${table}_default`], outcome: 'done' });
  expect(await indexesOf(client)).toEqual(await partitionsOf(client));
  expect(await isWhole(client)).toBe(true);
});

test('indexes: what a build has left that died is built anew, or attached where it had come to its end', async () => {
  const { deps, client } = await setUp();
  const [built = '', broken = ''] = (await partitionsOf(client)).toReversed();
  const definition = '(trace_id, recorded_at) where trace_id is not null';
  for (const name of [built, broken]) await client.query(`create index ${name}_trace_id_idx on ${name} ${definition}`);
  await client.query(`update pg_index set indisvalid = false where indexrelid = '${broken}_trace_id_idx'::regclass`);
  const { rows: before } = await client.query(`select '${built}_trace_id_idx'::regclass::oid as oid`);
  expect((await buildLackingIndexes(deps, table, signal)).waiting).toBeNull();
  expect(await indexesOf(client)).toEqual(await partitionsOf(client));
  expect((await client.query(`select '${built}_trace_id_idx'::regclass::oid as oid`)).rows).toEqual(before);
});

test('indexes: inserts go on while one is built, and a build that is asked to stop ends at once', async () => {
  const { deps, client } = await setUp();
  const reader = await connect(deps.config.database.url ?? '');
  // A build waits for all who may still look at the table as it was.
  await reader.query('begin isolation level repeatable read; select 1');
  const stopping = new AbortController();
  const building = buildLackingIndexes(deps, table, stopping.signal);
  const isWaiting = async () => {
    const { rows } = await client.query<{ phase: string }>('select phase from pg_stat_progress_create_index');
    return rows.some(({ phase }) => phase.startsWith('waiting for old snapshots'));
  };
  await until(isWaiting);
  await insertExecution(client, new Date(), 5);
  stopping.abort();
  expect(await building).toEqual({ indexed: [], waiting: 'asked to stop, or out of time' });
  await reader.query('commit');
  expect((await buildLackingIndexes(deps, table, signal)).waiting).toBeNull();
  expect(await isWhole(client)).toBe(true);
});

test('indexes: whoever does not own the table says so, and the task goes on', async () => {
  const { deps, client } = await setUp();
  const role = `stranger_${randomUUID().replaceAll('-', '')}`;
  await client.query(`create role ${role} login password 'secret'`);
  onTestFinished(async () => void (await client.query(`drop role ${role}`)));
  const url = new URL(deps.config.database.url ?? '');
  Object.assign(url, { username: role, password: 'secret' });
  const other = await maintenanceDeps({}, url.href);
  const { waiting, indexed } = await buildLackingIndexes(other.deps, table, signal);
  expect({ waiting, indexed }).toEqual({ waiting: expect.stringContaining('must be owner'), indexed: [] });
  expect(other.messages().at(-1)).toMatch(/^partitions lack an index until the next run/);
});
