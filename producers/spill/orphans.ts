import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createLifeWatch } from './life-watch.ts';
import { isKnownToHaveEnded, nullWhenMissing, type OwnerFacts, readOwnerFacts } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import type { SpillTiming } from './timing.ts';

/** A directory of segments, its name being `<life>` or, once claimed, `<life>@<own directory of the life that did>`. */
export interface LifeDirectory {
  path: string;
  name: string;
  /** the life that wrote it, `<producer>-<epoch>.<random>` */
  life: string;
  /** where the lock of its owner is: of the life that wrote it, or of the one that claimed it */
  ownerPath: string;
  /** null: there is no such directory any more, and so nobody; a life removes its own last */
  owner: OwnerFacts | null;
}

/** A segment file. */
export interface SegmentFile {
  path: string;
  bytes: number;
}

const segmentPattern = /^\d{8,}\.seg$/;

/**
 * All directories of segments in `parent`, the oldest life first; none when there is no `parent`. Those whose lock cannot be
 * read now are left out: they are not ours to judge.
 */
export async function listLives(parent: string): Promise<LifeDirectory[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(emptyWhenMissing);
  const lives: LifeDirectory[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const [life = entry.name, claimer] = entry.name.split('@');
    const ownerPath = join(parent, claimer ?? life);
    try {
      const owner = await readOwnerFacts(ownerPath).catch(nullWhenMissing);
      lives.push({ path: join(parent, entry.name), name: entry.name, life, ownerPath, owner });
    } catch {
      // not ours to judge
    }
  }
  return lives.sort((a, b) => epochOf(a.life) - epochOf(b.life) || (a.name < b.name ? -1 : 1));
}

/** Finds the directories of lives again and again; `hasEnded` tells those whose life, or whose claimer, is gone for good. */
export function createLifeFinder(timing: SpillTiming) {
  const watch = createLifeWatch(timing);
  return async (parent: string, ownPath: string | null): Promise<(LifeDirectory & { hasEnded: boolean })[]> => {
    const us = await identifyThisProcess();
    const lives = (await listLives(parent)).filter(({ ownerPath }) => ownerPath !== ownPath);
    watch.keepOnly(lives.map(({ ownerPath }) => ownerPath));
    return lives.map((life) => {
      const { owner, ownerPath } = life;
      const hasEnded = owner === null || isKnownToHaveEnded(owner, us) || watch.isSilent(ownerPath, owner.sign);
      return { ...life, hasEnded };
    });
  };
}

/**
 * Claims the directory of a life that has ended. Of several that try, one succeeds: renaming is atomic.
 *
 * @param ownName the directory of this life, which must exist with its lock
 * @returns the path that it has now, null when another life was faster
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
  nullWhenMissing(error);
  return [];
}
