import { statSync } from 'node:fs';

const everyMs = 2_000;

/**
 * Calls back when one of the files has changed: rewritten, replaced, or found behind another symbolic link, as where Kubernetes
 * mounts a secret. It looks by itself, since events of the file system do not tell all of these everywhere.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, intervalMs: number = everyMs) {
  let seen = signatureOf(paths);
  const timer = setInterval(() => {
    const now = signatureOf(paths);
    if (now === seen) return;
    seen = now;
    onChange();
  }, intervalMs);
  timer.unref();
  return {
    stop(): void {
      clearInterval(timer);
    },
  };
}

function signatureOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stats === undefined ? 'none' : `${stats.dev}.${stats.ino}.${stats.size}.${stats.mtimeNs}`;
    })
    .join(' ');
}
