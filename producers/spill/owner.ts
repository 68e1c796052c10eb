import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess, type ProcessIdentity } from './process-identity.ts';

/** The contents of a lock file. */
export interface Owner extends ProcessIdentity {
  /** it has closed the spill and will not come back */
  released: boolean;
}

export const lockName = 'lock';

/** What is known of the owner of a directory. */
export interface OwnerFacts {
  /** null: there is no lock, or it is not whole */
  owner: Owner | null;
  /** when the process with the owner's id started; null if there is no such process */
  runningSince: string | null;
  /** changes with each heartbeat of the owner; only a change means something */
  heartbeat: string;
  /** the time of the last heartbeat in ms since 1970, by a clock that may be anybody's: for display only */
  heartbeatAtMs: number;
}

/**
 * Whether an owner is known to have ended: it has released its directory; or, within the same boot of a host and the same
 * container, its process is gone or its process id, which may be ours, belongs to another process now.
 *
 * Otherwise only its heartbeats tell. A running process may have lost the session, for example with a worker thread, and
 * nothing else can be seen of a process on another host.
 */
export function isKnownToHaveEnded({ owner, runningSince }: OwnerFacts, us: ProcessIdentity): boolean {
  if (owner === null) return false;
  if (owner.released) return true;
  if (!isNextTo(owner, us)) return false;
  if (runningSince === null) return true;
  return owner.startedAt !== '' && runningSince !== '' && owner.startedAt !== runningSince;
}

/** Whether the ids of two processes can be compared. */
function isNextTo(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.host === other.host && one.bootId === other.bootId && one.pidNamespace === other.pidNamespace;
}

/** Reads the lock in a directory. @throws when there is no such directory, or when its lock cannot be read */
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

/** Opens the file each time: a network file system may answer a mere `stat` from its cache. */
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

/** Null for a text that is not whole: a crash may have cut it. */
export function parseOwner(text: string): Owner | null {
  try {
    // Older locks have no boot id.
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
