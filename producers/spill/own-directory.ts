import { mkdir, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heartbeatMs, lockName, type Owner } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import { syncDirectory } from './segment-writer.ts';

/**
 * Makes a directory, of mode 0700, that this process owns: others leave it alone as long as its lock is fresh or the
 * process can be seen to live.
 *
 * @param parent is made when it is missing
 * @param name taken as it is when it is free, else with a number behind it
 */
export async function createOwnDirectory({ parent, name, now }: { parent: string; name: string; now: () => number }) {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const freeName = await makeFree(parent, name);
  const path = join(parent, freeName);
  const lock = join(path, lockName);
  const owner: Owner = { ...(await identifyThisProcess()), released: false };
  await writeFile(lock, JSON.stringify(owner), { mode: 0o600 });
  await syncDirectory(parent);
  let renewedAt = now();

  const renew = async (): Promise<void> => {
    const at = now();
    await utimes(lock, at / 1_000, at / 1_000);
    renewedAt = at;
  };
  const heartbeat = setInterval(() => {
    // What is wrong with it, the next append finds out.
    renew().catch(() => undefined);
  }, heartbeatMs).unref();

  return {
    name: freeName,
    path,

    /**
     * Makes sure that the directory is still ours: a process that was suspended may have been taken for dead.
     *
     * @throws when it is not
     */
    async hold(): Promise<void> {
      if (now() - renewedAt <= heartbeatMs * 2) return;
      try {
        await renew();
      } catch (thrown) {
        clearInterval(heartbeat);
        throw thrown;
      }
    },
    /** Leaves it to the next process. */
    async release(): Promise<void> {
      clearInterval(heartbeat);
      await writeFile(lock, JSON.stringify({ ...owner, released: true }));
    },
    /** Removes it; call this when it is empty and nothing is claimed in its name. */
    async remove(): Promise<void> {
      clearInterval(heartbeat);
      await removeDirectory(path);
    },
  };
}

export type OwnDirectory = Awaited<ReturnType<typeof createOwnDirectory>>;

/** Removes a directory with nothing but a lock in it. @throws when there is more in it */
export async function removeDirectory(path: string): Promise<void> {
  await rm(join(path, lockName), { force: true });
  await rmdir(path);
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
