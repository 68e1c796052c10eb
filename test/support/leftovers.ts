import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine, isAlive, stopProcess } from '../../dev/servers/processes.ts';
import { temporaryParents } from './memory-directory.ts';

/** Directories of test runs begin so, with the process id of the run behind it. */
export const testDirectoryPrefix = 'sluice-test-';

/** Stops the servers that killed test runs left behind, and removes their directories. */
export async function sweepLeftovers(): Promise<void> {
  for (const parent of temporaryParents) {
    for (const name of await readdir(parent).catch(() => [])) {
      const run = new RegExp(`^${testDirectoryPrefix}(\\d+)-`).exec(name)?.[1];
      if (run === undefined || (await isAlive(Number(run)))) continue;
      const dir = join(parent, name);
      for (const pid of await serversUnder(dir)) {
        if ((await commandLine(pid))?.match(/postgres|redis|valkey|pgbouncer/))
          await stopProcess(pid, 'SIGKILL', 1_000);
      }
      await rm(dir, { recursive: true, force: true });
    }
  }
}

/** The processes named in postmaster.pid, pgbouncer.pid and state.json files anywhere under a directory. */
async function serversUnder(dir: string): Promise<number[]> {
  const files = await readdir(dir, { recursive: true }).catch(() => []);
  const named = files.filter((file) => /(postmaster\.pid|pgbouncer\.pid|redis\/state\.json)$/.test(file));
  const texts = await Promise.all(named.map((file) => readFile(join(dir, file), 'utf8').catch(() => '')));
  return texts.map((text) => (text.startsWith('{') ? Number(JSON.parse(text).pid) : Number(text.split('\n')[0])));
}
