import { chmod, mkdir } from 'node:fs/promises';

/** Creates a directory that only its owner may read, or makes an existing one so: it holds passwords and data. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** Starts a process whose files only their owner may read, whatever mode it asks for. */
export function withPrivateFiles<T>(start: () => T): T {
  const before = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}
