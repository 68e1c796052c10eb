import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnerAlive, readOwnerFacts } from './owner.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** A directory of segments, its name being `<life>` or, once claimed, `<life>@<directory of the process that did>`. */
export interface LifeDirectory {
  path: string;
  name: string;
  /** the life that wrote it, `<producer>-<epoch>.<random>` */
  life: string;
  isLive: boolean;
}

/** A segment file. */
export interface SegmentFile {
  path: string;
  bytes: number;
}

const segmentPattern = /^\d{8,}\.seg$/;

/** All directories of segments in `parent`, the oldest life first; none when there is no `parent`. */
export async function listLives(parent: string, us: ProcessIdentity, nowMs: number): Promise<LifeDirectory[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(emptyWhenMissing);
  const lives: LifeDirectory[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const [life = entry.name, claimer] = entry.name.split('@');
    // What is claimed lives as long as the process that claimed it, whose lock is in its own directory.
    const isLive = await isLiveDirectory(join(parent, claimer ?? life), us, nowMs);
    lives.push({ path: join(parent, entry.name), name: entry.name, life, isLive });
  }
  return lives.sort((a, b) => epochOf(a.life) - epochOf(b.life) || (a.name < b.name ? -1 : 1));
}

/** Without its lock's directory there is nobody: a process removes its own last. */
async function isLiveDirectory(path: string, us: ProcessIdentity, nowMs: number): Promise<boolean> {
  const facts = await readOwnerFacts(path, nowMs).catch(() => null);
  return facts !== null && isOwnerAlive(facts, us);
}

/**
 * Claims a directory of a dead process. Of several processes that try, one succeeds: renaming is atomic.
 *
 * @param ownName the directory of this process, which must exist with its lock
 * @returns the path that it has now, null when another process was faster
 */
export async function claim(parent: string, { path, life }: LifeDirectory, ownName: string): Promise<string | null> {
  const claimed = join(parent, `${life}@${ownName}`);
  try {
    await rename(path, claimed);
    return claimed;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return null;
    throw error;
  }
}

/** The segments in a directory, in the order in which they were written. */
export async function listSegments(directory: string): Promise<SegmentFile[]> {
  const names = (await readdir(directory)).filter((name) => segmentPattern.test(name));
  const files: SegmentFile[] = [];
  for (const name of names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) files.push({ path, bytes: found.size });
  }
  return files;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.seg`;
}

function epochOf(life: string): number {
  // Behind the start: random characters, not in older names, and a number where the name was taken.
  return Number(/-(\d+)(\.[0-9a-z]+)*$/.exec(life)?.[1] ?? 0);
}

function emptyWhenMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
