import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readColumns } from '../../../archive/columns.ts';
import { readParquet } from '../../../archive/parquet-reader.ts';
import { createRowSum, sumTable } from '../../../archive/row-sum.ts';
import { requestColumns } from '../../../queries/export/requests.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { insertVariedExecutions } from '../../support/archive.ts';
import { connect, createDirectory, createTestDatabase } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { createDay, insertExecution } from '../../support/rows.ts';
import { createRunner } from '../../support/run-sluice.ts';

const run = promisify(execFile);
const sluiceHere = `"${process.execPath}" cli/main.ts`;
const { signal } = new AbortController();

async function setUp() {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const sluice = createRunner({ DATABASE_URL: databaseUrl });
  const dir = await createDirectory();
  return { databaseUrl, client, sluice, dir };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** Two days of their own, the DEFAULT partition, and more rows at one instant than fit into a page. */
async function fill({ client }: SetUp): Promise<number> {
  const days = [await createDay(client, 5), await createDay(client, 3)];
  for (const { noon } of days) await insertVariedExecutions(client, noon, 1_700);
  await insertVariedExecutions(client, new Date('2020-05-05T12:00:00Z'), 30);
  await insertExecution(client, '2021-01-01T00:00:00.123Z', 2_300);
  return 2 * 1_700 + 30 + 2_300;
}

test('export executions: each row once, by time and id, with the digits that are stored', async () => {
  const set = await setUp();
  const count = await fill(set);
  const path = join(set.dir, 'all.ndjson');
  const ended = await set.sluice('export', 'executions', '--since', 'all', '--output', path);
  expect(ended).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: expect.stringMatching(/5,730 rows exported .* done/),
  });
  expect(await readdir(set.dir)).toEqual(['all.ndjson']);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(count);
  const { rows } = await set.client.query<{ id: string; input: string | null; points: number | null }>(
    'select id, input::text, points from strategy_execution_log order by recorded_at, strategy_execution_log.id',
  );
  const parsed = lines.map((line) => JSON.parse(line));
  expect(parsed.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  for (const [index, { input, points }] of rows.entries()) {
    expect(lines[index]).toContain(`"input":${input?.replace('\u2028', '\\u2028') ?? 'null'},`);
    expect(parsed[index]?.points).toEqual(points !== null && !Number.isFinite(points) ? String(points) : points);
  }
  expect(parsed[0]?.recorded_at).toBe('2020-05-05T12:00:00.007Z');
});

test('export executions: as Parquet, to a file and through a pipe, it has the sum of rows that PostgreSQL reckons', async () => {
  const set = await setUp();
  const count = await fill(set);
  const database = createDatabase(loadConfig({ DATABASE_URL: set.databaseUrl }).database, 'test');
  const columns = await readColumns(database, 'strategy_execution_log');
  const sum = await sumTable(database, { schema: 'public', name: 'strategy_execution_log' }, columns, signal);
  await database.$disconnect();
  expect(sum?.rows).toBe(count);
  const [file, piped] = [join(set.dir, 'file.parquet'), join(set.dir, 'piped.parquet')];
  const options = ['export', 'executions', '--since', 'all', '--format', 'parquet'];
  expect(await set.sluice(...options, '--output', file)).toMatchObject({ exitCode: 0 });
  await run('bash', ['--norc', '-c', `set -o pipefail; ${sluiceHere} ${options.join(' ')} | cat > "${piped}"`], {
    env: { ...inheritedEnvironment(), DATABASE_URL: set.databaseUrl },
  });
  for (const path of [file, piped]) {
    const read = createRowSum();
    for await (const rows of readParquet(path, columns)) for (const row of rows) read.add(row);
    expect(read.total()).toEqual(sum);
  }
});

test('export executions: filters and the window are those of the list', async () => {
  const set = await setUp();
  await fill(set);
  const filters = [
    ['--strategy', 'strategy-3'],
    ['--realm', 'realm-1', '--status', 'failed'],
    ['--unmatched'],
    ['--code', 'E1', '--until', '2021-01-01'],
  ];
  const conditions = [
    `strategy_id = 'strategy-3'`,
    `realm_id = 'realm-1' and status <> 'ok'`,
    'case_name is null',
    `error_code = 'E1' and recorded_at < '2021-01-01Z'`,
  ];
  for (const [index, filter] of filters.entries()) {
    const { stdout, exitCode } = await set.sluice('export', 'executions', '--since', 'all', ...filter);
    const { rows } = await set.client.query(`select id from strategy_execution_log where ${conditions[index]}`);
    expect(exitCode).toBe(0);
    expect(rows.length).toBeGreaterThan(0);
    const ids = stdout.split('\n').map((line) => JSON.parse(line).id);
    expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
  }
});

test('export executions: CSV is read back as it was stored', async () => {
  const set = await setUp();
  await insertVariedExecutions(set.client, new Date('2020-05-05T12:00:00Z'), 60);
  const path = join(set.dir, 'all.csv');
  await set.sluice('export', 'executions', '--since', 'all', '--format', 'csv', '--output', path);
  const [head, ...lines] = parseCsv(await readFile(path, 'utf8'));
  const { rows } = await set.client.query('select * from strategy_execution_log order by recorded_at, id');
  expect(lines).toHaveLength(60);
  const nameAt = (head ?? []).indexOf('case_name');
  expect(lines.map((line) => line[nameAt])).toEqual(rows.map((row) => row['case_name']));
});

test('export: a reader that has seen enough ends it quietly, and a file that cannot be written leaves nothing', async () => {
  const set = await setUp();
  await fill(set);
  const env = { ...inheritedEnvironment(), DATABASE_URL: set.databaseUrl };
  const piped = await run(
    'bash',
    ['--norc', '-c', `${sluiceHere} export executions --since all | head -n 1 | wc -l; echo "$PIPESTATUS"`],
    { env },
  );
  expect(piped.stdout.split(/\s+/).filter(Boolean)).toEqual(['1', '0']);
  expect(piped.stderr).toBe('');

  const path = join(set.dir, 'large.ndjson');
  const limited = await run(
    'bash',
    ['--norc', '-c', `ulimit -f 64; ${sluiceHere} export executions --since all --output "${path}"; echo "$?"`],
    { env },
  );
  expect(limited.stdout.trim()).toBe('1');
  expect(limited.stderr).toMatch(/large\.ndjson \(EFBIG\): the file exceeds the maximum size/);
  expect(await readdir(set.dir)).toEqual([]);
  const lost = await set.sluice('export', 'executions', '--since', 'all', '--output', join(set.dir, 'no', 'x.csv'));
  expect(lost).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/ENOENT.*create or mount it/) });
  const device = await set.sluice('export', 'executions', '--output', '/dev/null');
  expect(device).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/not a regular file/) });
});

test('export requests: with both bodies as they are stored, by arrival and id', async () => {
  const set = await setUp();
  await set.client.query(`
    with asked as (
      insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
      select gen_random_uuid(), 'POST', '/v1/responses', 'm', 'body ' || n || repeat('"', 2000), 'utf8', 9007199254740993, false,
        '2026-01-01Z'::timestamptz + n / 10 * interval '1 s' from generate_series(1, 2500) as n returning *)
    insert into request (id, template_id, state, model, service_tier, created_by, created_at, started_at, completed_at, response_status, response_body, response_encoding)
    select gen_random_uuid(), id, 'completed', 'm', 'default', 'u', created_at, created_at, created_at, 200, 'AAE=', 'base64' from asked`);
  const path = join(set.dir, 'requests.ndjson');
  expect(await set.sluice('export', 'requests', '--since', 'all', '--output', path)).toMatchObject({ exitCode: 0 });
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const { rows } = await set.client.query('select id from request order by created_at, id');
  const parsed = lines.map((line) => JSON.parse(line));
  expect(parsed.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(Object.keys(parsed[0] ?? {})).toEqual(requestColumns.map(({ name }) => name));
  expect(lines[0]).toContain('"request_size":9007199254740993,');
  expect(parsed[0]).toMatchObject({ response_body: 'AAE=', response_encoding: 'base64', response_status: 200 });
});

/** RFC 4180; a field without quotes that is empty is not there. */
function parseCsv(text: string): (string | null)[][] {
  const lines: (string | null)[][] = [[]];
  for (const [whole, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    if (whole === undefined) continue;
    lines.at(-1)?.push(quoted !== undefined ? quoted.replaceAll('""', '"') : plain === '' ? null : (plain ?? null));
    if (end === '\r\n') lines.push([]);
  }
  return lines.slice(0, -1);
}
