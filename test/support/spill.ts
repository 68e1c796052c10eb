import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { encodeFrame, encodeSegmentHeader } from '../../producers/spill/frame.ts';
import type { Owner } from '../../producers/spill/owner.ts';
import { findProcess, identifyThisProcess } from '../../producers/spill/process-identity.ts';
import { createSpill, type Spill, type SpillOptions } from '../../producers/spill/spill.ts';

/** A spill over a directory, which closes itself, and what it has told so far. */
export function aSpill(dir: string, choices: Partial<SpillOptions> = {}) {
  const lost = { bytes: 0, ownRecords: 0 };
  const takenOver: number[] = [];
  const troubles: Error[] = [];
  let found = 0;
  const spill = createSpill({
    dir,
    session: 'test-1700000000000',
    maxBytes: 1_000_000_000,
    fsyncMs: 500,
    now: Date.now,
    onFound: () => {
      found += 1;
    },
    onLost: ({ bytes, ownRecords }) => {
      lost.bytes += bytes;
      lost.ownRecords += ownRecords;
    },
    onTakenOver: (ownRecords) => takenOver.push(ownRecords),
    onTrouble: (error) => troubles.push(error),
    ...choices,
  });
  onTestFinished(() => spill.close());
  return {
    spill,
    lost,
    /** records of each segment that was taken over */
    takenOver,
    troubles,
    get found() {
      return found;
    },
  };
}

/** Chunks as the sender has them, with so many records each. */
export function someChunks(label: string, count: number, { records = 3, bytes = 40 } = {}) {
  return Array.from({ length: count }, (_, index) => ({
    id: `${label}.1.${index}`,
    data: JSON.stringify({ label, filler: 'x'.repeat(bytes) }),
    entries: Array.from({ length: records }, () => ({})),
  }));
}

/** Takes and acknowledges everything, and gives the ids. */
export async function takeAll(spill: Spill): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = await spill.take(); batch !== null; batch = await spill.take()) {
    ids.push(...batch.chunks.map(({ id }) => id));
    spill.acknowledge();
  }
  return ids;
}

/** Leaves a directory behind as another session would have: with this lock, and one segment file for each buffer. */
export async function leaveSession(
  dir: string,
  name: string,
  lock: Owner | string | null,
  segments: readonly Buffer[],
  lockAgeMs = 0,
): Promise<string> {
  const path = join(dir, name);
  await mkdir(path, { recursive: true });
  for (const [index, segment] of segments.entries())
    await writeFile(join(path, `${String(index + 1).padStart(8, '0')}.seg`), segment);
  const changedAt = (Date.now() - lockAgeMs) / 1_000;
  if (lock === null) {
    await utimes(path, changedAt, changedAt);
  } else {
    await writeFile(join(path, 'lock'), typeof lock === 'string' ? lock : JSON.stringify(lock));
    await utimes(join(path, 'lock'), changedAt, changedAt);
  }
  return path;
}

/** An intact segment with these chunks in it. */
export function aSegment(ids: readonly string[], data = '{}'): Buffer {
  const frames = ids.map((id) => encodeFrame({ id, data, records: 1, writtenAtMs: 1_700_000_000_000 }));
  return Buffer.concat([encodeSegmentHeader(), ...frames]);
}

/** The lock of a process of this machine that has ended. */
export async function aDeadOwner(): Promise<Owner> {
  const child = spawn('true');
  const { pid } = child;
  await once(child, 'exit');
  return { ...(await identifyThisProcess()), pid: pid ?? -1, startedAt: '1', released: false };
}

/** A process that lives until the test kills it, or has finished, and its lock. */
export async function aLivingOwner() {
  const child = spawn('sleep', ['1000']);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  const owner: Owner = {
    ...(await identifyThisProcess()),
    pid,
    startedAt: (await findProcess(pid)) ?? '',
    released: false,
  };
  return {
    owner,
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** All files below a directory with their sizes, locks left out. */
export async function filesIn(dir: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const name of await readdir(dir, { recursive: true })) {
    const found = await stat(join(dir, name)).catch(() => null);
    if (found?.isFile() && !name.endsWith('lock')) files.set(name, found.size);
  }
  return files;
}

/** Everything below a directory as it is, to see whether it has been touched. */
export async function snapshotOf(dir: string): Promise<object> {
  const names = (await readdir(dir)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'hex')]));
}
