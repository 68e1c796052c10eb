import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { chmod, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { unprivileged } from '../../../dev/servers/unprivileged.ts';
import { insertVariedExecutions } from '../../support/archive.ts';
import { connect, createDirectory, createTestDatabase } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { createDay, partitionRows } from '../../support/rows.ts';
import { createRunner } from '../../support/run-sluice.ts';
import { createSmallDisk, type SmallDisk } from '../../support/small-disk.ts';

const cli = resolve('cli/main.ts');

async function diskOf(context: TestContext, options: string): Promise<SmallDisk> {
  const disk = await createSmallDisk(options);
  if (disk === null) context.skip('no right to mount a file system');
  return disk;
}

/** An expired day of 4,000 rows, whose archive takes some tens of KiB. */
async function expiredDay(dir: string) {
  const environment = {
    DATABASE_URL: await createTestDatabase(),
    SLUICE_RETENTION_DAYS: '90',
    SLUICE_ARCHIVE_DIR: dir,
  };
  const client = await connect(environment.DATABASE_URL);
  const { name, noon } = await createDay(client, 100);
  await insertVariedExecutions(client, noon, 4_000);
  const sluice = createRunner(environment);
  return {
    environment,
    client,
    name,
    sluice,
    /** A run that fails for a reason of the directory: the day stays, and the other tasks are run. */
    async expectKept(reason: RegExp): Promise<void> {
      const before = await readdir(dir);
      const ended = await sluice('maintain', '--json');
      expect(ended.exitCode).toBe(1);
      expect(ended.json()).toMatchObject({
        partitions: { outcome: 'done' },
        purge: { outcome: 'done' },
        retention: {
          outcome: 'failed',
          dropped: [],
          overdue: 1,
          failed: [{ name, reason: expect.stringMatching(reason) }],
        },
      });
      expect(await partitionRows(client)).toMatchObject({ [name]: 4_000 });
      expect(await readdir(dir)).toEqual(before);
    },
    /** The next run, when there is nothing in its way any more. */
    async expectArchived(): Promise<void> {
      expect(await sluice('maintain', 'retention')).toMatchObject({ exitCode: 0 });
      expect(await partitionRows(client)).not.toHaveProperty(name);
      expect(await sluice('archive', 'verify')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching('4,000 rows'),
      });
    },
  };
}

test('full disk: a day whose archive has no room stays, nothing of it lies about, and it is archived when there is room', async (context) => {
  const { dir } = await diskOf(context, 'size=256k');
  const day = await expiredDay(dir);
  await writeFile(join(dir, 'filler'), Buffer.alloc(240 * 1_024));
  await day.expectKept(/^SLUICE_ARCHIVE_DIR: .*ENOSPC.*free some space/);
  await rm(join(dir, 'filler'));
  await day.expectArchived();
});

test('full disk: where there is room for the rows and none for the manifest, neither is left', async (context) => {
  // The directory itself, and one file.
  const { dir, remount } = await diskOf(context, 'nr_inodes=2');
  const day = await expiredDay(dir);
  await day.expectKept(/^SLUICE_ARCHIVE_DIR: .*\.json \(ENOSPC\).*free some space/);
  remount('nr_inodes=10');
  await day.expectArchived();
});

test('archive directory: mounted read-only, it keeps the day, and takes it when it is writable', async (context) => {
  const { dir, remount } = await diskOf(context, 'size=8m');
  const day = await expiredDay(dir);
  remount('ro');
  await day.expectKept(/^SLUICE_ARCHIVE_DIR: .*EROFS.*remount it read-write/);
  remount('rw');
  await day.expectArchived();
});

test('archive directory: one that this process may not write to keeps the day, and says so', async () => {
  const dir = await createDirectory();
  const day = await expiredDay(dir);
  await chmod(dir, 0o555);
  // As root everything may be written; without the right to pass modes it may not.
  const user = unprivileged(process.execPath, [cli, 'maintain', 'retention', '--json']);
  const args = user.args.map((arg) => arg.replace('+dac_override', '+dac_read_search'));
  const child = spawn(user.command, args, { env: { ...inheritedEnvironment(), ...day.environment }, stdio: 'pipe' });
  const [stdout, ended] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(ended).toEqual([1, null]);
  expect(stdout).toMatch(/SLUICE_ARCHIVE_DIR: .*EACCES.*permission denied/);
  expect(await partitionRows(day.client)).toMatchObject({ [day.name]: 4_000 });
  await chmod(dir, 0o755);
  await day.expectArchived();
});

test.for(['ndjson', 'csv', 'parquet'])(
  'full disk: an export as %s to a file that has no room leaves none, and says why',
  async (format, context) => {
    const { dir } = await diskOf(context, 'size=16k');
    const { sluice } = await expiredDay(dir);
    const path = join(dir, 'rows');
    const ended = await sluice('export', 'executions', '--since', 'all', '--format', format, '--output', path);
    const stderr = expect.stringMatching(/rows \(ENOSPC\): the disk is full: free some space$/);
    expect(ended).toMatchObject({ exitCode: 1, stderr });
    expect(await readdir(dir)).toEqual([]);
  },
);

test.for([
  ['export', 'executions', '--since', 'all'],
  // All of it in one write, of which the disk takes the beginning.
  ['executions', 'list', '--since', 'all', '--limit', '200', '--json'],
])(
  'full disk: standard output that is a file without room is no success, and is told of: %s %s',
  async (args, context) => {
    const { dir } = await diskOf(context, 'size=64k');
    const { environment } = await expiredDay(dir);
    const child = spawn(process.execPath, [cli, ...args], {
      env: { ...inheritedEnvironment(), ...environment },
      stdio: ['ignore', openSync(join(dir, 'out'), 'w'), 'pipe'],
    });
    const [stderr, ended] = await Promise.all([text(child.stderr as Readable), once(child, 'close')]);
    expect(ended).toEqual([1, null]);
    expect(stderr).toBe('sluice: the output could not be written (ENOSPC): the disk is full: free some space\n');
  },
);

test('export: told to stop while nobody reads its pipe, it ends', async () => {
  const { environment } = await expiredDay(await createDirectory());
  const child = spawn(process.execPath, [cli, 'export', 'executions', '--since', 'all'], {
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const stderr = text(child.stderr);
  // It has begun, and much more than a pipe holds is still to come.
  await once(child.stdout, 'readable');
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
  expect(await stderr).toMatch(/stopped\n$/);
});

test('export: what an export to this file left when it was killed goes with the next one, and other files stay', async () => {
  const dir = await createDirectory();
  const { sluice } = await expiredDay(dir);
  const [old, recent, other] = [
    '.rows.0123456789ab.partial',
    '.rows.ba9876543210.partial',
    '.others.0123456789ab.partial',
  ];
  for (const name of [old, recent, other]) await writeFile(join(dir, name), 'x');
  const longAgo = new Date(Date.now() - 7_200_000);
  for (const name of [old, other]) await utimes(join(dir, name), longAgo, longAgo);
  expect(await sluice('export', 'executions', '--since', 'all', '--output', join(dir, 'rows'))).toMatchObject({
    exitCode: 0,
  });
  expect((await readdir(dir)).toSorted()).toEqual([other, recent, 'rows'].toSorted());
});
