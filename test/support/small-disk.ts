import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { createDirectory } from './fixtures.ts';

/** A file system in memory that only one process has mounted; others reach it through that process. */
export interface SmallDisk {
  dir: string;
  /** Mounts it anew with other options, such as `ro` or `size=8m`; its files stay. */
  remount(options: string): void;
}

/** As the superuser, and as one of a namespace of its own: how to make the namespaces, and how to enter them. */
const ways = [
  { make: ['--mount'], enter: ['--mount'] },
  { make: ['--map-root-user', '--mount'], enter: ['--user', '--preserve-credentials', '--mount'] },
];

/**
 * Mounts a small file system; it goes with the test.
 *
 * @param options of tmpfs, such as `size=256k` or `nr_inodes=3`
 * @returns null where this process has no right to mount one
 */
export async function createSmallDisk(options: string): Promise<SmallDisk | null> {
  const mountPoint = await createDirectory();
  for (const { make, enter } of ways) {
    const mount = `mount -t tmpfs -o ${options} none ${mountPoint} && echo mounted && exec sleep 1000000`;
    const holder = spawn('unshare', [...make, 'sh', '-c', mount], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(holder, 'close');
    const isMounted = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
    if (!isMounted) continue;
    onTestFinished(async () => {
      holder.kill('SIGKILL');
      await ended;
    });
    return {
      dir: `/proc/${holder.pid}/root${mountPoint}`,
      remount(changed) {
        execFileSync('nsenter', [
          '--target',
          String(holder.pid),
          ...enter,
          'mount',
          '-o',
          `remount,${changed}`,
          mountPoint,
        ]);
      },
    };
  }
  return null;
}
