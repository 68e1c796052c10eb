import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How Python programs find the client. */
export const pythonClientDir = fileURLToPath(new URL('../../clients/python/src', import.meta.url));

/** The oldest version that the client runs on. */
const isNewEnough = 'import sys; sys.exit(sys.version_info < (3, 9))';

/** The Python that can run Sluice's client; null if there is none, or no client beside this file, as in an image. */
export async function findPython(environment: NodeJS.ProcessEnv): Promise<string | null> {
  if (!existsSync(pythonClientDir)) return null;
  return promisify(execFile)('python3', ['-c', isNewEnough], { env: environment }).then(
    () => 'python3',
    () => null,
  );
}
