import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

const memory = '/dev/shm';
const neededBytes = 2 * 1024 ** 3;

/**
 * Where the data of private PostgreSQL servers goes: into memory on a Linux that has room there, to the other temporary
 * files elsewhere. Almost every test copies a database of 330 files and drops it again, and on a disk that costs more CPU
 * time than what the tests do themselves. The files outlive a killed server there, too.
 */
export async function parentOfDatabases(): Promise<string> {
  const room = await statfs(memory).catch(() => null);
  // A container often has 64 MiB there, and a limit to its memory that the file system does not know.
  const fits = room !== null && room.bavail * room.bsize >= neededBytes && process.availableMemory() >= 2 * neededBytes;
  return fits ? memory : tmpdir();
}

/** All directories that temporary files of a run may lie in. */
export const temporaryParents: readonly string[] = [tmpdir(), memory];
