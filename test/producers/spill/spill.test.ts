import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createIdentity } from '../../../producers/core/pipeline-parts.ts';
import { encodeSegmentHeader, segmentVersion } from '../../../producers/spill/frame.ts';
import { identifyThisProcess } from '../../../producers/spill/process-identity.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import {
  aDeadOwner,
  aLivingOwner,
  aSegment,
  aSpill,
  filesIn,
  leaveSession,
  snapshotOf,
  someChunks,
  takeAll,
} from '../../support/spill.ts';

const ids = (chunks: readonly { id: string }[]): string[] => chunks.map(({ id }) => id);

/** Waits until a spill has looked for earlier sessions. */
const opened = ({ spill }: ReturnType<typeof aSpill>): Promise<void> => spill.settled();

test('spill: chunks come back in order and whole, and then nothing is left on disk', async () => {
  const dir = await createDirectory();
  const { spill } = aSpill(dir);
  const chunks = someChunks('a', 12);
  expect(await spill.append(chunks.slice(0, 7))).toEqual({ status: 'written' });
  const first = await spill.take();
  expect(first).toMatchObject({ records: 15, isOwn: true });
  expect(first?.chunks.map(({ id, data }) => ({ id, data }))).toEqual(
    chunks.slice(0, 5).map(({ id, data }) => ({ id, data })),
  );
  await spill.append(chunks.slice(7));
  // What is not acknowledged is given again.
  expect(await spill.take()).toBe(first);
  spill.acknowledge();
  expect(await takeAll(spill)).toEqual(ids(chunks.slice(5)));
  expect(spill.bytes).toBe(0);
  expect(spill.hasMore).toBe(false);
  expect(await readdir(dir)).toEqual([]);
});

test('spill: a segment stays until all in it is acknowledged', async () => {
  const dir = await createDirectory();
  const { spill } = aSpill(dir);
  await spill.append(someChunks('a', 10));
  await spill.take();
  spill.acknowledge();
  await spill.take();
  expect((await filesIn(dir)).size).toBe(1);
  spill.acknowledge();
  expect(await spill.take()).toBeNull();
  expect((await filesIn(dir)).size).toBe(0);
});

test('spill: what is large is spread over segments, which go one after the other', async () => {
  const dir = await createDirectory();
  const { spill } = aSpill(dir);
  const chunks = someChunks('a', 60, { bytes: 500_000 });
  for (const chunk of chunks) await spill.append([chunk]);
  expect((await filesIn(dir)).size).toBe(4);
  expect(Math.max(...(await filesIn(dir)).values())).toBeLessThan(9 * 1_048_576);
  const seen: string[] = [];
  let fewest = 4;
  for (let batch = await spill.take(); batch !== null; batch = await spill.take()) {
    seen.push(...ids(batch.chunks));
    spill.acknowledge();
    const { size } = await filesIn(dir);
    expect(size).toBeLessThanOrEqual(fewest);
    fewest = size;
  }
  expect(seen).toEqual(ids(chunks));
});

test('spill: directories are for their owner only, files too', async () => {
  const parent = await createDirectory();
  const dir = join(parent, 'deep', 'down');
  const { spill } = aSpill(dir);
  await spill.append(someChunks('a', 1));
  const mode = async (...path: string[]): Promise<number> => (await stat(join(...path))).mode & 0o777;
  expect(await mode(dir)).toBe(0o700);
  expect(await mode(dir, 'test-1700000000000')).toBe(0o700);
  expect(await mode(dir, 'test-1700000000000', '00000001.seg')).toBe(0o600);
  expect(await mode(dir, 'test-1700000000000', 'lock')).toBe(0o600);
});

test('spill: whatever is appended and taken, the bound holds, and what was written comes back in order', async () => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 4 }), bytes: fc.nat({ max: 3_000 }) }),
    fc.constant('take' as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 200, max: 12_000 }),
      fc.constantFrom(0, 500),
      async (steps, maxBytes, fsyncMs) => {
        const dir = await createDirectory();
        const { spill, troubles, lost } = aSpill(dir, { maxBytes, fsyncMs });
        const written: string[] = [];
        const seen: string[] = [];
        for (const [index, one] of steps.entries()) {
          if (one === 'take') {
            const batch = await spill.take();
            if (batch) seen.push(...ids(batch.chunks));
            spill.acknowledge();
          } else {
            const chunks = someChunks(`s${index}`, one.append, { bytes: one.bytes });
            const { status } = await spill.append(chunks);
            if (status === 'written') written.push(...ids(chunks));
            else expect(status).toBe('full');
          }
          const onDisk = [...(await filesIn(dir)).values()].reduce((sum, size) => sum + size, 0);
          expect(onDisk).toBeLessThanOrEqual(maxBytes);
          expect(spill.bytes).toBe(onDisk);
        }
        seen.push(...(await takeAll(spill)));
        expect(seen).toEqual(written);
        expect(troubles).toEqual([]);
        expect(lost).toEqual({ bytes: 0, ownRecords: 0 });
        expect(await readdir(dir)).toEqual([]);
        await spill.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('spill: with a file in the place of its directory every append is refused, and nothing is thrown', async () => {
  const dir = join(await createDirectory(), 'file');
  await writeFile(dir, '');
  const made = aSpill(dir);
  await opened(made);
  expect(made.troubles).toHaveLength(1);
  expect(await made.spill.append(someChunks('a', 1))).toMatchObject({ status: 'failed', error: { code: 'EEXIST' } });
  expect(made.spill.hasMore).toBe(false);
  expect(await made.spill.take()).toBeNull();
  // As soon as the directory can be, it is used.
  await rm(dir);
  expect(await made.spill.append(someChunks('a', 1))).toEqual({ status: 'written' });
});

test('spill: after close nothing is written, and the next session takes over at once', async () => {
  const dir = await createDirectory();
  const first = aSpill(dir);
  const chunks = someChunks('a', 3);
  await first.spill.append(chunks);
  await first.spill.close();
  expect(await first.spill.append(chunks)).toMatchObject({ status: 'failed' });
  const second = aSpill(dir, { session: 'test-1700000000001' });
  await opened(second);
  expect(second.found).toBe(1);
  expect(second.spill.bytes).toBeGreaterThan(0);
  const batch = await second.spill.take();
  expect(batch).toMatchObject({ isOwn: false, records: 9 });
  expect(await takeAll(second.spill)).toEqual(ids(chunks));
  expect(await readdir(dir)).toEqual([]);
});

test('spill: two of one process leave each other alone', async () => {
  const dir = await createDirectory();
  const first = aSpill(dir);
  await first.spill.append(someChunks('a', 3));
  const second = aSpill(dir);
  await second.spill.append(someChunks('b', 2));
  expect(await takeAll(second.spill)).toEqual(['b.1.0', 'b.1.1']);
  expect(await takeAll(first.spill)).toEqual(['a.1.0', 'a.1.1', 'a.1.2']);
});

test('earlier sessions: those of the dead are replayed, the oldest first, before our own', async () => {
  const dir = await createDirectory();
  const dead = await aDeadOwner();
  await leaveSession(dir, 'web-2-1700000000009', dead, [aSegment(['c']), aSegment(['d'])]);
  await leaveSession(dir, 'web-10-3-1600000000000', dead, [aSegment(['a', 'b'])]);
  await leaveSession(dir, 'web-1-1500000000000', dead, []);
  const made = aSpill(dir);
  await made.spill.append(someChunks('own', 1));
  expect(await takeAll(made.spill)).toEqual(['a', 'b', 'c', 'd', 'own.1.0']);
  expect(made.found).toBe(1);
  expect(await readdir(dir)).toEqual([]);
});

test('earlier sessions: the bytes that they left count towards the bound', async () => {
  const dir = await createDirectory();
  await leaveSession(dir, 'web-1-1500000000000', await aDeadOwner(), [
    aSegment(['a'], JSON.stringify('x'.repeat(5_000))),
  ]);
  const { spill } = aSpill(dir, { maxBytes: 5_500 });
  expect(await spill.append(someChunks('b', 1, { bytes: 1_000 }))).toEqual({ status: 'full' });
  expect(await takeAll(spill)).toEqual(['a']);
  expect(await spill.append(someChunks('b', 1, { bytes: 1_000 }))).toEqual({ status: 'written' });
});

/** Times so short that a test can wait for them. */
const quick = { heartbeatMs: 20, silentAfterMs: 400, lookMs: 50 };

/** Keeps a lock of a session alive, with times of a clock that is off by so much. */
function aHeart(path: string, skewMs: number) {
  let beats = 0;
  const timer = setInterval(() => {
    const at = (Date.now() + skewMs) / 1_000;
    utimes(join(path, 'lock'), at, at).then(
      () => {
        beats += 1;
      },
      () => undefined,
    );
  }, quick.heartbeatMs);
  onTestFinished(() => clearInterval(timer));
  return {
    get beats() {
      return beats;
    },
    stop: () => clearInterval(timer),
  };
}

test('earlier sessions: a directory of a living process is not touched, and taken when the process is killed', async () => {
  const dir = await createDirectory();
  const { owner, kill } = await aLivingOwner();
  const path = await leaveSession(dir, 'web-1-1600000000000', owner, [aSegment(['a'])]);
  const before = await snapshotOf(path);
  const first = aSpill(dir);
  await opened(first);
  expect(await first.spill.take()).toBeNull();
  expect(await snapshotOf(path)).toEqual(before);
  await kill();
  expect(await takeAll(await openedSpill(dir))).toEqual(['a']);
});

test.each([
  ['as ours is', 0],
  ['an hour behind', -3_600_000],
  ['an hour ahead', 3_600_000],
])(
  'earlier sessions: one on a host whose clock is %s is left alone as long as it sends heartbeats, and taken when they stop',
  async (_clock, skewMs) => {
    const dir = await createDirectory();
    const elsewhere = { ...(await aDeadOwner()), host: 'some-other-host' };
    const path = await leaveSession(dir, 'web-1-1600000000000', elsewhere, [aSegment(['a'])], -skewMs);
    const heart = aHeart(path, skewMs);
    const made = aSpill(dir, { timing: quick });
    await until(() => heart.beats > 40);
    expect(made.found).toBe(0);
    heart.stop();
    await until(() => made.found === 1);
    expect(await takeAll(made.spill)).toEqual(['a']);
    expect(await readdir(dir)).toEqual([]);
  },
);

test('earlier sessions: one without a lock, or with one that was cut, is taken when it has not changed for some time', async () => {
  const dir = await createDirectory();
  await leaveSession(dir, 'web-3-1600000000000', 'cut in the mi', [aSegment(['a'])]);
  await leaveSession(dir, 'web-4-1600000000001', null, [aSegment(['b'])]);
  const first = aSpill(dir);
  await opened(first);
  expect(first.found).toBe(0);
  const made = aSpill(dir, { timing: quick });
  await until(() => made.found === 1);
  expect(await takeAll(made.spill)).toEqual(['a', 'b']);
});

test('earlier sessions: what a thread had on disk when it was terminated is taken, although its process runs on', async () => {
  const dir = await createDirectory();
  const thread = new Worker(resolve('test/support/spill-thread.ts'), { workerData: { dir, timing: quick } });
  await once(thread, 'message');
  const made = aSpill(dir, { timing: quick });
  // The thread lives: what it has is its own.
  await opened(made);
  await made.spill.look();
  expect(made.found).toBe(0);
  await thread.terminate();
  await until(() => made.found === 1);
  expect(await takeAll(made.spill)).toEqual(['thread.1.0', 'thread.1.1', 'thread.1.2']);
  expect(await readdir(dir)).toEqual([]);
});

test('taken over: a session that finds its directory gone begins a new one, and loses nothing', async () => {
  const dir = await createDirectory();
  const first = aSpill(dir, { timing: { ...quick, heartbeatMs: 1_000_000 } });
  await first.spill.append(someChunks('a', 3));
  // It sends no heartbeats: to the others it is dead.
  const second = aSpill(dir, { session: 'test-1700000000001', timing: quick });
  await until(() => second.found === 1);
  const later = someChunks('b', 2);
  expect(await first.spill.append(later)).toEqual({ status: 'written' });
  expect(first.troubles).toMatchObject([{ message: expect.stringContaining('taken') }]);
  expect(await takeAll(second.spill)).toEqual(['a.1.0', 'a.1.1', 'a.1.2']);
  expect(await takeAll(first.spill)).toEqual(ids(later));
  expect(first.takenOver).toEqual([9]);
  expect(first.lost).toEqual({ bytes: 0, ownRecords: 0 });
  expect(second.lost).toEqual({ bytes: 0, ownRecords: 0 });
  expect(await readdir(dir)).toEqual([]);
});

test('taken over: what a session had claimed itself goes with its directory, and is not counted as lost', async () => {
  const dir = await createDirectory();
  await leaveSession(dir, 'old-1600000000000', await aDeadOwner(), [aSegment(['x']), aSegment(['y'])]);
  const first = aSpill(dir, { timing: { ...quick, heartbeatMs: 1_000_000 } });
  await opened(first);
  const second = aSpill(dir, { session: 'test-1700000000001', timing: quick });
  await until(() => second.found === 1);
  expect(await takeAll(second.spill)).toEqual(['x', 'y']);
  expect(await takeAll(first.spill)).toEqual([]);
  expect(first.lost).toEqual({ bytes: 0, ownRecords: 0 });
  expect(first.spill.bytes).toBe(0);
  expect(await readdir(dir)).toEqual([]);
});

test('taken over: a directory that somebody deletes is no other session’s, and its records are lost', async () => {
  const dir = await createDirectory();
  const { spill, lost, takenOver } = aSpill(dir);
  await spill.append(someChunks('a', 2, { records: 5 }));
  await rm(join(dir, 'test-1700000000000'), { recursive: true });
  expect(await spill.append(someChunks('b', 1))).toEqual({ status: 'written' });
  expect(await takeAll(spill)).toEqual(['b.1.0']);
  expect(lost.ownRecords).toBe(10);
  expect(takenOver).toEqual([]);
});

test('earlier sessions: a predecessor with our own process id is dead', async () => {
  const dir = await createDirectory();
  const predecessor = { ...(await identifyThisProcess()), startedAt: '1', released: false };
  await leaveSession(dir, 'web-1-1600000000000', predecessor, [aSegment(['a'])]);
  expect(await takeAll(await openedSpill(dir))).toEqual(['a']);
});

test('earlier sessions: what a process had claimed is claimed again when that process is dead, and not before', async () => {
  const dir = await createDirectory();
  const { owner, kill } = await aLivingOwner();
  await leaveSession(dir, 'new-1650000000000', owner, []);
  await leaveSession(dir, 'old-1600000000000@new-1650000000000', await aDeadOwner(), [aSegment(['a'])]);
  await leaveSession(dir, 'odd-1610000000000@gone-1640000000000', await aDeadOwner(), [aSegment(['b'])]);
  expect(await takeAll(await openedSpill(dir))).toEqual(['b']);
  await kill();
  expect(await takeAll(await openedSpill(dir))).toEqual(['a']);
  expect(await readdir(dir)).toEqual([]);
});

test('earlier sessions: one of the longest name is claimed by another one of the longest name', async () => {
  const dir = await createDirectory();
  const longest = (letter: string): string => {
    const { producer, epoch, life } = createIdentity(letter.repeat(100), 1_700_000_000_000);
    return `${producer}-${epoch}.${life}`;
  };
  await leaveSession(dir, longest('a'), await aDeadOwner(), [aSegment(['x'])]);
  // Its own name is taken, which adds to it.
  const session = longest('b');
  await leaveSession(dir, session, (await aLivingOwner()).owner, []);
  const made = aSpill(dir, { session });
  await opened(made);
  expect(made.troubles).toEqual([]);
  expect(await takeAll(made.spill)).toEqual(['x']);
});

test('earlier sessions: of several processes that start at once, one takes each', async () => {
  const dir = await createDirectory();
  const dead = await aDeadOwner();
  const names = Array.from({ length: 30 }, (_, index) => `web-${index}-${1_600_000_000_000 + index}`);
  for (const name of names) await leaveSession(dir, name, dead, [aSegment([`${name}/1`, `${name}/2`])]);
  const made = Array.from({ length: 4 }, (_, index) => aSpill(dir, { session: `test-${1_700_000_000_000 + index}` }));
  await Promise.all(made.map(opened));
  const taken = await Promise.all(made.map(({ spill }) => takeAll(spill)));
  expect(taken.flat().sort()).toEqual(names.flatMap((name) => [`${name}/1`, `${name}/2`]).sort());
  expect(made.flatMap(({ troubles }) => troubles)).toEqual([]);
  expect(await readdir(dir)).toEqual([]);
});

test('damage: whatever is wrong with some segments, all intact chunks are replayed, and the rest is measured', async () => {
  const dir = await createDirectory();
  const whole = aSegment(['a', 'b', 'c']);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(60) ^ 1, 60);
  const segments = [
    whole,
    Buffer.alloc(0),
    whole.subarray(0, whole.length - 1),
    flipped,
    Buffer.from('garbage'),
    encodeSegmentHeader(),
    Buffer.concat([whole, Buffer.alloc(100)]),
    aSegment(['last']),
  ];
  await leaveSession(dir, 'web-1-1600000000000', await aDeadOwner(), segments);
  const { spill, lost, troubles } = aSpill(dir);
  await spill.settled();
  expect(await takeAll(spill)).toEqual(['a', 'b', 'c', 'a', 'b', 'a', 'c', 'a', 'b', 'c', 'last']);
  const frameBytes = (whole.length - 16) / 3;
  expect(lost).toEqual({ bytes: frameBytes - 1 + frameBytes + 'garbage'.length + 100, ownRecords: 0 });
  expect(troubles).toEqual([]);
  expect(await readdir(dir)).toEqual([]);
});

test('damage: a segment of a newer version is left for one, the others are replayed', async () => {
  const dir = await createDirectory();
  const newer = Buffer.concat([encodeSegmentHeader(segmentVersion + 1), Buffer.alloc(500, 7)]);
  await leaveSession(dir, 'web-1-1600000000000', await aDeadOwner(), [aSegment(['a']), newer, aSegment(['b'])]);
  const { spill, lost, troubles } = aSpill(dir);
  await spill.settled();
  expect(await takeAll(spill)).toEqual(['a', 'b']);
  expect(lost).toEqual({ bytes: 0, ownRecords: 0 });
  expect(troubles).toHaveLength(1);
  expect(spill.bytes).toBe(newer.length);
  await spill.close();
  expect([...(await filesIn(dir)).values()]).toEqual([newer.length]);
});

test('damage: of our own segments we know how many records were in what is gone', async () => {
  const dir = await createDirectory();
  const { spill, lost, troubles } = aSpill(dir);
  await spill.append(someChunks('a', 4, { records: 5 }));
  await spill.take();
  const [name = ''] = (await filesIn(dir)).keys();
  await rm(join(dir, name));
  spill.acknowledge();
  // It is open, and so still read; the next one is not.
  expect(await spill.take()).toBeNull();
  expect(lost.ownRecords).toBe(0);

  await spill.append(someChunks('b', 4, { records: 5 }));
  const [next = ''] = (await filesIn(dir)).keys();
  await rm(join(dir, next));
  expect(await spill.take()).toBeNull();
  expect(lost.ownRecords).toBe(20);
  expect(troubles).toMatchObject([{ code: 'ENOENT' }]);
  expect(spill.bytes).toBe(0);
});

test('damage: a segment that cannot be read holds up no other, and is tried again', async () => {
  const dir = await createDirectory();
  await leaveSession(dir, 'web-1-1600000000000', await aDeadOwner(), [aSegment(['a']), aSegment(['b'])]);
  const { spill, troubles, lost } = aSpill(dir);
  await spill.settled();
  // A directory can be opened and not be read, like a file on a broken disk.
  const [claimed = ''] = (await readdir(dir)).filter((name) => name.includes('@'));
  const path = join(dir, claimed, '00000001.seg');
  await rename(path, `${path}.away`);
  await mkdir(path);
  expect(await takeAll(spill)).toEqual(['b']);
  expect(troubles).toMatchObject([{ code: 'EISDIR' }]);

  await rmdir(path);
  await rename(`${path}.away`, path);
  await spill.look();
  expect(await takeAll(spill)).toEqual(['a']);
  expect(lost).toEqual({ bytes: 0, ownRecords: 0 });
  expect(await readdir(dir)).toEqual([]);
});

async function openedSpill(dir: string) {
  const made = aSpill(dir);
  await opened(made);
  return made.spill;
}

test('stall: a directory that could not be seen for a while is taken over by others when it is there again', async () => {
  const dir = await createDirectory();
  const first = aSpill(dir, { timing: { ...quick, heartbeatMs: 100, lookMs: 1_000_000 } });
  await first.spill.append(someChunks('a', 1));
  const [session = ''] = await readdir(dir);
  const hidden = `${await createDirectory()}/hidden`;
  // What is asked of a directory below a file is refused by ENOTDIR: nobody can tell what became of it. In one turn: a heartbeat
  // in between would find that the directory is missing.
  renameSync(join(dir, session), hidden);
  writeFileSync(join(dir, session), '');
  expect(await first.spill.append(someChunks('b', 1))).toEqual({ status: 'written' });
  expect(first.troubles.map(({ message }) => message).join()).toContain('ENOTDIR');
  await rm(join(dir, session));
  await rename(hidden, join(dir, session));
  const second = aSpill(dir, { session: 'test-1700000000001', timing: quick });
  await until(() => second.found);
  expect(await takeAll(second.spill)).toEqual(['a.1.0']);
});
