import { statSync } from 'node:fs';
import { toError } from '../shared/platform/errors.ts';

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
  return paths.map(signatureOfFile).join(' ');
}

/** Never throws: nobody catches what a timer throws. Whoever then reads the file is told why it cannot be read. */
function signatureOfFile(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev}.${ino}.${size}.${mtimeNs}`;
  } catch (thrown) {
    const { code, name } = toError(thrown) as NodeJS.ErrnoException;
    return code ?? name;
  }
}
