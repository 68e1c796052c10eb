import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { insertVariedExecutions } from '../../support/archive.ts';
import { connect, createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { createDay, insertExecution, partitionRows } from '../../support/rows.ts';
import { createRunner } from '../../support/run-sluice.ts';

const run = promisify(execFile);
const sluiceHere = `"${process.execPath}" cli/main.ts`;

async function setUp() {
  const environment = {
    DATABASE_URL: await createTestDatabase(),
    SLUICE_RETENTION_DAYS: '90',
    SLUICE_ARCHIVE_DIR: await createDirectory(),
  };
  const client = await connect(environment.DATABASE_URL);
  return { environment, dir: environment.SLUICE_ARCHIVE_DIR, client, sluice: createRunner(environment) };
}

test('archive: a day goes out with retention, is listed and checked, and comes back equal, byte by byte', async () => {
  const { client, sluice, dir } = await setUp();
  const { name, noon } = await createDay(client, 100);
  await insertVariedExecutions(client, noon, 2_500);
  await client.query('set extra_float_digits = 3');
  const all = `select md5(string_agg(kept::text, '|' order by kept.id)) as sum from`;
  const [before] = (await client.query(`${all} ${name} as kept`)).rows;
  const ended = await sluice('maintain', 'retention', '--json');
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(await partitionRows(client)).not.toHaveProperty(name);

  const day = noon.toISOString().slice(0, 10);
  const listed = await sluice('archive', 'list', '--json');
  expect(listed.json()).toMatchObject({ dir, unreadable: [], archives: [{ partition: name, rows: 2_500 }] });
  expect((await sluice('archive', 'list')).stdout).toMatch(/2,500 +[\d,]+ /);
  expect(await sluice('archive', 'verify', day)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching('2,500 rows'),
  });

  const restored = await sluice('archive', 'restore', day, '--json');
  const table = `strategy_execution_log_restored_${day.replaceAll('-', '')}`;
  expect(restored).toMatchObject({ exitCode: 0 });
  expect(restored.json()).toMatchObject({ table, rows: 2_500 });
  const [after] = (await client.query(`${all} ${table} as kept`)).rows;
  expect(after).toEqual(before);
  expect(await partitionRows(client)).not.toHaveProperty(table);

  const again = await sluice('archive', 'restore', day);
  expect(again).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/already exists: drop it, or name another/),
  });
  expect(await sluice('archive', 'restore', day, '--into', 'other')).toMatchObject({ exitCode: 0 });
  expect(await sluice('archive', 'restore', '2020-01-01')).toMatchObject({ exitCode: 2 });
});

test('archive: what was damaged on disk is told of, and nothing of it is restored', async () => {
  const { client, sluice, dir } = await setUp();
  const { noon } = await createDay(client, 100);
  await insertVariedExecutions(client, noon, 500);
  await sluice('maintain', 'retention');
  const listed = (await sluice('archive', 'list', '--json')).json() as { archives: { file: string }[] };
  const path = join(dir, listed.archives[0]?.file ?? '');
  const bytes = await readFile(path);
  bytes[500] = (bytes[500] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await writeFile(join(dir, 'other.json'), '{');
  const day = noon.toISOString().slice(0, 10);
  expect(await sluice('archive', 'verify', day)).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching('contents of the file have changed'),
  });
  expect(await sluice('archive', 'restore', day)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching('damaged'),
  });
  expect(await sluice('archive', 'list')).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/other\.json is no/),
  });
  const { rows } = await client.query("select from pg_class where relname like '%restored%'");
  expect(rows).toEqual([]);
});

test('archive: where no more may be written, the partition stays whole and attached, and the next run goes on', async () => {
  const { client, sluice, environment } = await setUp();
  const { name, noon } = await createDay(client, 100);
  await insertVariedExecutions(client, noon, 4_000);
  await insertExecution(client, new Date());
  const limited = await run('bash', ['--norc', '-c', `ulimit -f 8; ${sluiceHere} maintain --json; echo "$?"`], {
    env: { ...inheritedEnvironment(), ...environment },
  });
  const [json = '', exitCode] = limited.stdout.trim().split('\n');
  expect(exitCode).toBe('1');
  const report = JSON.parse(json);
  expect(report.retention).toMatchObject({ outcome: 'failed', dropped: [], overdue: 1 });
  expect(report.retention.failed).toEqual([{ name, reason: expect.stringMatching(/SLUICE_ARCHIVE_DIR: .*EFBIG/) }]);
  // The other tasks were run all the same.
  expect(report.purge).toMatchObject({ outcome: 'done' });
  expect(await partitionRows(client)).toMatchObject({ [name]: 4_000 });
  expect(await sluice('maintain', 'retention')).toMatchObject({ exitCode: 0 });
  expect(await partitionRows(client)).not.toHaveProperty(name);
});

test('archive: a process that is killed while it writes leaves the partition as it is and no archive, and one that is told to stop no file at all', async () => {
  const { client, sluice, environment, dir } = await setUp();
  const { name, noon } = await createDay(client, 100);
  await insertVariedExecutions(client, noon, 60_000);
  const visible = async (): Promise<string[]> => (await readdir(dir)).filter((file) => !file.startsWith('.'));
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const before = await readdir(dir);
    const killed = await startSluice(['maintain', 'retention', '--json'], environment);
    await until(async () => (await readdir(dir)).length > before.length);
    killed.kill(signal);
    expect(await killed.ended).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 1);
    expect(await visible()).toEqual([]);
    expect(await partitionRows(client)).toMatchObject({ [name]: 60_000 });
    if (signal === 'SIGTERM') {
      expect(await readdir(dir)).toEqual(before);
      expect(JSON.parse(killed.stdout.at(-1) ?? '')).toMatchObject({
        retention: { outcome: 'interrupted', overdue: 1 },
      });
    }
  }
  // The last statement of the killed one may hold its lock still: then the day goes with the next run.
  await until(async () => {
    expect(await sluice('maintain', 'retention')).toMatchObject({ exitCode: 0 });
    return !(name in (await partitionRows(client)));
  });
  expect(await sluice('archive', 'verify')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching('60,000 rows'),
  });
});
