import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installPackage } from './install-package.ts';

const run = promisify(execFile);
const candidates = ['redis-server', 'valkey-server'];

/** The path of a Redis or Valkey server on the PATH, or null. */
export async function findRedisBinary(): Promise<string | null> {
  for (const name of candidates) {
    const found = await run('sh', ['-c', `command -v ${name}`]).catch(() => null);
    if (found) return found.stdout.trim();
  }
  return null;
}

/**
 * Installs a Redis server with the system's package manager: apt-get as root on Debian and Ubuntu, Homebrew on macOS.
 *
 * @throws Error that says what to install, if neither applies.
 */
export async function installRedis(environment: NodeJS.ProcessEnv): Promise<string> {
  const isInstalled = await installPackage({ apt: 'redis-server', brew: 'redis' }, environment);
  if (!isInstalled) {
    throw new Error(
      'There is no redis-server or valkey-server on the PATH, and it cannot be installed automatically. ' +
        'Install one (Debian/Ubuntu: sudo apt-get install redis-server; macOS: brew install redis; ' +
        'Fedora: sudo dnf install valkey), or set REDIS_URL to a server of your own.',
    );
  }
  const binary = await findRedisBinary();
  if (!binary) throw new Error('The Redis package was installed, but there is no redis-server on the PATH.');
  return binary;
}
