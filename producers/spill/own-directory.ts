import { mkdir, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import { lockName, type Owner } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import { syncDirectory } from './segment-writer.ts';
import type { SpillTiming } from './timing.ts';

/** Why a directory is not where it was created: another session took it over, or somebody deleted it. */
export type Departure = 'taken' | 'deleted';

/**
 * Creates a directory, of mode 0700, that this session owns. Others leave it alone as long as they see its lock change.
 *
 * If a session cannot change the lock for too long, for example because its process was stopped or its event loop was blocked,
 * another session may take over the directory with everything in it. `departure` tells, and it is final.
 *
 * @param parent is created if it is missing
 * @param name gets a number appended if it is taken
 */
export async function createOwnDirectory({
  parent,
  name,
  timing,
  onTrouble = () => undefined,
}: {
  parent: string;
  name: string;
  timing: SpillTiming;
  /** told if the directory cannot be looked at */
  onTrouble?: (error: Error) => void;
}) {
  let last = readClocks();
  let lastHeartbeatMs = last.wallMs;
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const freeName = await makeFree(parent, name);
  const path = join(parent, freeName);
  const lock = join(path, lockName);
  const owner: Owner = { ...(await identifyThisProcess()), released: false };
  await writeFile(lock, JSON.stringify(owner), { mode: 0o600 });
  await syncDirectory(parent);
  let gone: Departure | null = null;

  /** Whether the lock has changed so recently that nobody can have taken the directory over. */
  const wasInTime = (): boolean => {
    const { monotonicMs, wallMs } = readClocks();
    // The monotonic clock may stand still while the machine sleeps; the wall clock may be set.
    return Math.max(monotonicMs - last.monotonicMs, wallMs - last.wallMs) < timing.silentAfterMs / 2;
  };

  const noteGone = (): void => {
    gone ??= wasInTime() ? 'deleted' : 'taken';
    clearInterval(heartbeat);
  };

  const beat = async (): Promise<void> => {
    // Always a new time, even if the clock was set back or the file system rounds.
    const heartbeatMs = Math.max(Date.now(), lastHeartbeatMs + 2_000);
    // Read before the write: we may stall before we learn that it succeeded.
    const givenAt = readClocks();
    try {
      await utimes(lock, heartbeatMs / 1_000, heartbeatMs / 1_000);
      last = givenAt;
      lastHeartbeatMs = heartbeatMs;
    } catch (error) {
      // The next append finds out what else is wrong.
      if (isMissing(error)) noteGone();
    }
  };
  const heartbeat = setInterval(() => void beat(), timing.heartbeatMs).unref();

  return {
    name: freeName,
    path,

    /**
     * Returns null while the directory is ours and in its place: whoever takes it over later finds what was written before the
     * call. A directory that cannot be looked at counts as deleted. Its heartbeat stops, so that others take it over once
     * they can see it again.
     */
    async departure(): Promise<Departure | null> {
      if (gone !== null) return gone;
      try {
        await stat(lock);
      } catch (thrown) {
        if (isMissing(thrown)) noteGone();
        else {
          clearInterval(heartbeat);
          onTrouble(toError(thrown));
          return 'deleted';
        }
      }
      return gone;
    },
    /** Releases the directory to the next session. */
    async release(): Promise<void> {
      clearInterval(heartbeat);
      if (gone === null) await writeFile(lock, JSON.stringify({ ...owner, released: true }));
    },
    /** Removes the directory. Nothing may be left in it or claimed in its name. */
    async remove(): Promise<void> {
      clearInterval(heartbeat);
      if (gone === null) await removeDirectory(path);
    },
  };
}

export type OwnDirectory = Awaited<ReturnType<typeof createOwnDirectory>>;

/** Removes a directory that contains nothing but a lock, if it exists. @throws when it contains more */
export async function removeDirectory(path: string): Promise<void> {
  await rm(join(path, lockName), { force: true });
  await rmdir(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

function readClocks(): { monotonicMs: number; wallMs: number } {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function makeFree(parent: string, name: string): Promise<string> {
  for (let copy = 1; ; copy += 1) {
    const candidate = copy === 1 ? name : `${name}.${copy}`;
    try {
      await mkdir(join(parent, candidate), { mode: 0o700 });
      return candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
