import { mkdir, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import { lockName, type Owner } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import { syncDirectory } from './segment-writer.ts';
import type { SpillTiming } from './timing.ts';

/** Why a directory is not where it was made: another session took it over, or somebody deleted it. */
export type Departure = 'taken' | 'deleted';

/**
 * Makes a directory, of mode 0700, that this session owns: others leave it alone as long as they see its lock change.
 *
 * A session that could not change it for too long, since its process was stopped, say, or its event loop was held up, may find
 * that another one has taken its directory over, with all that is in it. `departure` tells, and it is final.
 *
 * @param parent is made when it is missing
 * @param name taken as it is when it is free, else with a number behind it
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
  /** told when the directory cannot be seen */
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

  /** Whether nobody can have watched the lock without a change for long enough to take the directory. */
  const wasInTime = (): boolean => {
    const { monotonicMs, wallMs } = readClocks();
    // One of the two stands still while the machine sleeps, the other may be set.
    return Math.max(monotonicMs - last.monotonicMs, wallMs - last.wallMs) < timing.silentAfterMs / 2;
  };

  const noteGone = (): void => {
    gone ??= wasInTime() ? 'deleted' : 'taken';
    clearInterval(heartbeat);
  };

  const beat = async (): Promise<void> => {
    // Always another time than before, also when the clock was set back, and where a file system rounds.
    const heartbeatMs = Math.max(Date.now(), lastHeartbeatMs + 2_000);
    // Before it is given: we may be held up before we hear that it was.
    const givenAt = readClocks();
    try {
      await utimes(lock, heartbeatMs / 1_000, heartbeatMs / 1_000);
      last = givenAt;
      lastHeartbeatMs = heartbeatMs;
    } catch (error) {
      // What else is wrong with it, the next append finds out.
      if (isMissing(error)) noteGone();
    }
  };
  const heartbeat = setInterval(() => void beat(), timing.heartbeatMs).unref();

  return {
    name: freeName,
    path,

    /**
     * Null while the directory is ours and where it was made: what has been written into it until the call is found by
     * whoever takes it over later. One that cannot be seen counts as deleted. It gets no more heartbeats, so that others
     * take it over once it can be seen again.
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
    /** Leaves it to the next session. */
    async release(): Promise<void> {
      clearInterval(heartbeat);
      if (gone === null) await writeFile(lock, JSON.stringify({ ...owner, released: true }));
    },
    /** Removes it; call this when it is empty and nothing is claimed in its name. */
    async remove(): Promise<void> {
      clearInterval(heartbeat);
      if (gone === null) await removeDirectory(path);
    },
  };
}

export type OwnDirectory = Awaited<ReturnType<typeof createOwnDirectory>>;

/** Removes a directory with nothing but a lock in it, if it is there. @throws when there is more in it */
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
