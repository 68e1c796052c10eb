import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess, type ProcessIdentity } from './process-identity.ts';

/** What a lock file says. */
export interface Owner extends ProcessIdentity {
  /** it has closed and will not come back */
  released: boolean;
}

export const lockName = 'lock';

/** How often a living owner sets the time of its lock. */
export const heartbeatMs = 10_000;
/** A lock that old is nobody's, where the process cannot be looked for: on another host, in another container. */
export const staleAfterMs = 60_000;

/** What is known of the owner of a directory. */
export interface OwnerFacts {
  /** null: there is no lock that could be read */
  owner: Owner | null;
  /** since the lock, or without one the directory, was last changed */
  ageMs: number;
  /** when the process with the owner's id started; null when there is none */
  runningSince: string | null;
}

/**
 * Whether the owner of a directory may still write into it.
 *
 * Within one run of a host and one container the process tells: gone, or another one with the same id, means dead at once, and that
 * goes for our own id, too, which a predecessor in a container often had. Everywhere else, and where the lock cannot be
 * read, its age tells.
 */
export function isOwnerAlive({ owner, ageMs, runningSince }: OwnerFacts, us: ProcessIdentity): boolean {
  if (owner?.released) return false;
  if (owner === null || !isNextTo(owner, us)) return ageMs < staleAfterMs;
  if (runningSince === null) return false;
  return owner.startedAt === '' || runningSince === '' || owner.startedAt === runningSince;
}

/** Whether the ids of two processes are of the same system. */
function isNextTo(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.host === other.host && one.bootId === other.bootId && one.pidNamespace === other.pidNamespace;
}

/** Looks at the lock in a directory. @throws when there is no such directory */
export async function readOwnerFacts(directory: string, nowMs: number): Promise<OwnerFacts> {
  const lock = join(directory, lockName);
  const { mtimeMs } = await stat(lock).catch(() => stat(directory));
  const owner = parseOwner(await readFile(lock, 'utf8').catch(() => ''));
  return { owner, ageMs: nowMs - mtimeMs, runningSince: owner === null ? null : await findProcess(owner.pid) };
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
