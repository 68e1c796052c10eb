import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editSpill } from '../../../producers/spill/edit-spill.ts';
import { encodeFrame, encodeSegmentHeader } from '../../../producers/spill/frame.ts';
import type { SpillTiming } from '../../../producers/spill/timing.ts';
import { createDirectory } from '../../support/fixtures.ts';
import { aDeadOwner, aLivingOwner, aSpill, leaveSession, takeAll } from '../../support/spill.ts';

const session = 'web-1-1600000000000';
const timing: SpillTiming = { heartbeatMs: 20, silentAfterMs: 60_000, lookMs: 20 };

/** Chunks whose data is `gone` go, in those with `half` a record is taken out. */
const editor = {
  edit({ data }: { data: string }) {
    if (data === 'gone') return { data: null, erased: 2, blanked: 0 };
    return data === 'half' ? { data: 'rest', erased: 1, blanked: 0 } : null;
  },
  concerns: (bytes: Buffer) => bytes.includes('gone'),
};
const signal = new AbortController().signal;
const edit = (dir: string, options: { dryRun?: boolean; waitMs?: number } = {}) =>
  editSpill(dir, editor, { dryRun: false, waitMs: 0, signal, timing, ...options });

function segment(...datas: string[]): Buffer {
  const frames = datas.map((data, index) =>
    encodeFrame({ id: `${data}.${index}`, data, records: 2, writtenAtMs: 1_700_000_000_000 }),
  );
  return Buffer.concat([encodeSegmentHeader(), ...frames]);
}

async function everything(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

test('edit: of a session that has ended the named chunks go, and the next session finds all others, in order', async () => {
  const dir = await createDirectory();
  const whole = segment('a', 'b');
  await leaveSession(dir, session, await aDeadOwner(), [
    segment('a', 'gone', 'half', 'b'),
    segment('gone', 'gone'),
    whole,
  ]);
  expect(await edit(dir, { dryRun: true })).toMatchObject({ erased: 7, liveSessions: 0 });
  expect(await everything(dir)).toContain('gone');

  expect(await edit(dir)).toEqual({
    erased: 7,
    blanked: 0,
    damagedBytes: 0,
    newer: 0,
    newerChunks: 0,
    liveSessions: 0,
  });
  expect(await everything(dir)).not.toContain('gone');
  expect(await edit(dir)).toMatchObject({ erased: 0 });
  const { spill, lost, troubles } = aSpill(dir);
  expect(await takeAll(spill)).toEqual(['a.0', 'half.2', 'b.3', 'a.0', 'b.1']);
  await spill.close();
  expect([lost, troubles]).toEqual([{ bytes: 0, ownRecords: 0 }, []]);
  expect(await readdir(dir)).toEqual([]);
});

test('edit: where nothing else is left, the directory goes, and where nothing is named, nothing is touched', async () => {
  const dir = await createDirectory();
  await leaveSession(dir, session, await aDeadOwner(), [segment('gone')]);
  expect(await edit(dir)).toMatchObject({ erased: 2 });
  expect(await readdir(dir)).toEqual([]);
  await leaveSession(dir, session, await aDeadOwner(), [segment('a')]);
  expect(await edit(dir)).toMatchObject({ erased: 0 });
  expect(await readdir(dir)).toEqual([session]);
  expect(await edit(join(dir, 'nowhere'))).toMatchObject({ erased: 0 });
});

test('edit: bytes that are no intact chunk go when the id is in them', async () => {
  const dir = await createDirectory();
  const cut = segment('gone').subarray(0, -1);
  await leaveSession(dir, session, await aDeadOwner(), [Buffer.concat([segment('a'), cut.subarray(16)])]);
  expect(await edit(dir)).toMatchObject({ erased: 0, damagedBytes: cut.length - 16 });
  expect(await everything(dir)).not.toContain('gone');
  expect(await takeAll(aSpill(dir).spill)).toEqual(['a.0']);
});

test('edit: the directory of a process that lives is left as it is, and told of', async () => {
  const dir = await createDirectory();
  const { owner } = await aLivingOwner();
  await leaveSession(dir, session, owner, [segment('a', 'gone')]);
  const before = await everything(dir);
  expect(await edit(dir)).toMatchObject({ erased: 0, liveSessions: 1 });
  expect(await everything(dir)).toBe(before);
  expect(await readdir(dir)).toEqual([session]);
});

test('edit: while it waits, a living process goes on, and what it has sent is not waited for any more', async () => {
  const dir = await createDirectory();
  const { spill, lost, troubles } = aSpill(dir);
  for (const data of ['gone', 'a']) await spill.append([{ id: `${data}.1`, data, entries: [{}, {}] }]);
  const editing = edit(dir, { waitMs: 60_000 });
  expect(await takeAll(spill)).toEqual(['gone.1', 'a.1']);
  expect(await editing).toMatchObject({ erased: 0, liveSessions: 0 });
  expect([lost, troubles]).toEqual([{ bytes: 0, ownRecords: 0 }, []]);
});
