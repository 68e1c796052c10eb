import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectory } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { aDeadOwner, aLivingOwner, aSegment, leaveSession } from '../../support/spill.ts';

async function run(args: string[], environment: Record<string, string> = {}) {
  const call = await startSluice(['spill', ...args], environment);
  const exitCode = await call.ended;
  return { exitCode, stdout: call.stdout.join('\n'), stderr: call.stderr.join('\n') };
}

test('spill inspect: counts what the living and the dead have on disk, and prints no record', async () => {
  const dir = await createDirectory();
  const queue = join(dir, 'sluice.execution-log');
  const { owner } = await aLivingOwner();
  await leaveSession(queue, 'web-1-1600000000000', await aDeadOwner(), [
    aSegment(['a', 'b'], '"secret"'),
    aSegment(['c']),
  ]);
  // Cut where it is just being written.
  await leaveSession(queue, 'web-2-1600000000000', owner, [aSegment(['d', 'e']).subarray(0, -1)]);
  const { exitCode, stdout } = await run(['inspect', '--json'], { SLUICE_SPILL_DIR: dir });
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('secret');
  const writtenAt = { firstWrittenAt: '2023-11-14T22:13:20.000Z', lastWrittenAt: '2023-11-14T22:13:20.000Z' };
  expect(JSON.parse(stdout)).toMatchObject({
    dir,
    directories: [
      {
        name: 'sluice.execution-log/web-1-1600000000000',
        state: 'orphan',
        ...{ segments: 2, chunks: 3, records: 3, corruptBytes: 0 },
        ...writtenAt,
      },
      { name: 'sluice.execution-log/web-2-1600000000000', state: 'live', segments: 1, chunks: 1, corruptBytes: 0 },
    ],
    total: { segments: 3, chunks: 4, records: 4, corruptBytes: 0, ...writtenAt },
  });
  const text = await run(['inspect', dir]);
  expect(text.exitCode).toBe(0);
  expect(text.stdout).toContain(
    'sluice.execution-log/web-1-1600000000000  orphan\n  3 records in 3 chunks, 2 segments',
  );
  expect(text.stdout).not.toContain('secret');
});

test('spill inspect: damage is exit code 1, and says how much', async () => {
  const dir = await createDirectory();
  const damaged = Buffer.concat([aSegment(['a']), Buffer.from('garbage')]);
  await leaveSession(join(dir, 'sluice.execution-log'), 'web-1-1600000000000', await aDeadOwner(), [damaged]);
  const { exitCode, stdout } = await run(['inspect', dir]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('7 bytes damaged');
});

test('spill inspect: an empty directory is fine, none is a mistake', async () => {
  const dir = await createDirectory();
  await mkdir(join(dir, 'sluice.execution-log'));
  expect(await run(['inspect', dir])).toMatchObject({ exitCode: 0, stdout: 'no records on disk' });
  expect((await run(['inspect'])).exitCode).toBe(2);
  expect(await run(['inspect', join(dir, 'nowhere')])).toMatchObject({ exitCode: 2 });
  expect((await run(['inspect', dir, 'more'])).exitCode).toBe(2);
});
