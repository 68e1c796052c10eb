import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../shared/platform/errors.ts';
import { makePrivateDirectory } from '../servers/private-files.ts';
import { commandLine } from '../servers/processes.ts';

/**
 * Makes sure that only one fleet runs on a data directory. Takes over the lock of a run that crashed.
 *
 * @returns gives the lock back
 * @throws UsageError if another fleet holds it
 */
export async function lockFleet(dir: string): Promise<() => Promise<void>> {
  const file = join(dir, 'fleet.pid');
  await makePrivateDirectory(dir);
  for (;;) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    const holder = pid > 0 ? await commandLine(pid) : null;
    // Process ids are reused: only a process that looks like Sluice counts as the holder.
    if (holder !== null && /main\.(ts|js) (start|demo)/.test(holder)) {
      throw new UsageError(
        `a fleet is already running in this checkout as process ${pid}. Stop it (kill ${pid}), or give this one its own DATABASE_URL and REDIS_URL.`,
      );
    }
    await rm(file, { force: true });
  }
}
