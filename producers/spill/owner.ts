import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess, type ProcessIdentity } from './process-identity.ts';

/** What a lock file says. */
export interface Owner extends ProcessIdentity {
  /** it has closed and will not come back */
  released: boolean;
}

export const lockName = 'lock';

/** What is known of the owner of a directory. */
export interface OwnerFacts {
  /** null: there is no lock that could be read */
  owner: Owner | null;
  /** when the process with the owner's id started; null when there is none */
  runningSince: string | null;
  /** differs each time that the owner has sent a heartbeat; it says nothing by itself, least of all by whose clock */
  heartbeat: string;
  /** when that was, in ms since 1970, by a clock that may be anybody's: to be shown, never to be judged by */
  heartbeatAtMs: number;
}

/**
 * Whether an owner is known to have ended: it says so itself, or, within one run of a host and one container, its process is
 * gone, or another one has the same id, which goes for our own id, too.
 *
 * Where it is not known, its heartbeats tell: a process that runs may have lost the session that wrote, with a thread of its
 * own, say, and of one on another host nothing else can be seen.
 */
export function isKnownToHaveEnded({ owner, runningSince }: OwnerFacts, us: ProcessIdentity): boolean {
  if (owner === null) return false;
  if (owner.released) return true;
  if (!isNextTo(owner, us)) return false;
  if (runningSince === null) return true;
  return owner.startedAt !== '' && runningSince !== '' && owner.startedAt !== runningSince;
}

/** Whether the ids of two processes are of the same system. */
function isNextTo(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.host === other.host && one.bootId === other.bootId && one.pidNamespace === other.pidNamespace;
}

/** Looks at the lock in a directory. @throws when there is no such directory, or when its lock cannot be read */
export async function readOwnerFacts(directory: string): Promise<OwnerFacts> {
  const lock = await readLock(join(directory, lockName));
  const { mtimeMs } = lock ?? (await stat(directory));
  const text = lock?.text ?? '';
  const owner = parseOwner(text);
  return {
    owner,
    runningSince: owner === null ? null : await findProcess(owner.pid),
    heartbeat: `${mtimeMs} ${text}`,
    heartbeatAtMs: mtimeMs,
  };
}

/** Opened for each look: a network file system may show what it remembers of a file that is only asked about. */
async function readLock(path: string): Promise<{ text: string; mtimeMs: number } | null> {
  const file = await open(path, 'r').catch(nullWhenMissing);
  if (file === null) return null;
  try {
    const { mtimeMs } = await file.stat();
    return { text: await file.readFile('utf8'), mtimeMs };
  } finally {
    await file.close();
  }
}

export function nullWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** Null for anything that is not whole: a crash may have cut it. */
export function parseOwner(text: string): Owner | null {
  try {
    // Locks of before had no boot id.
    const { pid, host, bootId = '', pidNamespace, startedAt, released } = JSON.parse(text) as Owner;
    const isWhole =
      Number.isSafeInteger(pid) &&
      pid > 0 &&
      [host, bootId, pidNamespace, startedAt].every((field) => typeof field === 'string') &&
      typeof released === 'boolean';
    return isWhole ? { pid, host, bootId, pidNamespace, startedAt, released } : null;
  } catch {
    return null;
  }
}
