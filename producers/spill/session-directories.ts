import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createHeartbeatWatch } from './heartbeat-watch.ts';
import { isKnownToHaveEnded, nullWhenMissing, type OwnerFacts, readOwnerFacts } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import type { SpillTiming } from './timing.ts';

/** A directory of segments, named `<session>` or, once claimed, `<session>@<own directory of the claimer>`. */
export interface SessionDirectory {
  path: string;
  name: string;
  /** the session that wrote it, `<producer>-<epoch>.<random>` */
  session: string;
  /** the directory with the owner's lock: of the session that wrote it, or of the one that claimed it */
  ownerPath: string;
  /** null: that directory is gone, and with it the owner, since a session removes its own directory last */
  owner: OwnerFacts | null;
}

/** A segment file. */
export interface SegmentFile {
  path: string;
  bytes: number;
}

const segmentPattern = /^\d{8,}\.seg$/;

/**
 * Lists the directories of segments in `parent`, the oldest session first; none if there is no `parent`. Leaves out those whose
 * lock cannot be read now, since nothing is known about their owners.
 */
export async function listSessions(parent: string): Promise<SessionDirectory[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(emptyWhenMissing);
  const sessions: SessionDirectory[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const [session = entry.name, claimer] = entry.name.split('@');
    const ownerPath = join(parent, claimer ?? session);
    try {
      const owner = await readOwnerFacts(ownerPath).catch(nullWhenMissing);
      sessions.push({ path: join(parent, entry.name), name: entry.name, session, ownerPath, owner });
    } catch {
      // nothing is known about its owner
    }
  }
  return sessions.sort((a, b) => epochOf(a.session) - epochOf(b.session) || (a.name < b.name ? -1 : 1));
}

/** Creates a search for session directories. `hasEnded` says that the session, or the one that claimed its directory, is gone. */
export function createSessionFinder(timing: SpillTiming) {
  const watch = createHeartbeatWatch(timing);
  return async (parent: string, ownPath: string | null): Promise<(SessionDirectory & { hasEnded: boolean })[]> => {
    const us = await identifyThisProcess();
    const sessions = (await listSessions(parent)).filter(({ ownerPath }) => ownerPath !== ownPath);
    watch.keepOnly(sessions.map(({ ownerPath }) => ownerPath));
    return sessions.map((session) => {
      const { owner, ownerPath } = session;
      const hasEnded = owner === null || isKnownToHaveEnded(owner, us) || watch.isSilent(ownerPath, owner.heartbeat);
      return { ...session, hasEnded };
    });
  };
}

/**
 * Claims the directory of a session that has ended. If several try, one succeeds, since renaming is atomic.
 *
 * @param ownName this session's directory, which must exist with its lock
 * @returns the new path, or null if another session was faster
 */
export async function claim(
  parent: string,
  { path, session }: SessionDirectory,
  ownName: string,
): Promise<string | null> {
  const claimed = join(parent, `${session}@${ownName}`);
  try {
    await rename(path, claimed);
    return claimed;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return null;
    throw error;
  }
}

/** Lists the segments in a directory in the order in which they were written. */
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

function epochOf(session: string): number {
  // The epoch may be followed by random characters (not in older names) and by a number where the name was taken.
  return Number(/-(\d+)(\.[0-9a-z]+)*$/.exec(session)?.[1] ?? 0);
}

function emptyWhenMissing(error: NodeJS.ErrnoException): [] {
  nullWhenMissing(error);
  return [];
}
