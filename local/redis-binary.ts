import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

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
 * @throws Error that says what to install, where neither applies.
 */
export async function installRedis(environment: NodeJS.ProcessEnv): Promise<string> {
  const installer = await chooseInstaller();
  if (!installer) {
    throw new Error(
      'No redis-server or valkey-server on the PATH, and it cannot be installed from here. ' +
        'Install one (Debian/Ubuntu: sudo apt-get install redis-server; macOS: brew install redis; ' +
        'Fedora: sudo dnf install valkey), or set REDIS_URL to a server of your own.',
    );
  }
  for (const [command, ...args] of installer) {
    await run(command, args, {
      // The package would start a server of its own on port 6379; ours runs on a private port.
      env: { ...environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      maxBuffer: 64 * 1024 * 1024,
    }).catch((cause: Error & { stderr?: string }) => {
      throw new Error(
        `${[command, ...args].join(' ')} failed: ${cause.stderr?.trim().split('\n').at(-1) ?? cause.message}`,
      );
    });
  }
  const binary = await findRedisBinary();
  if (!binary) throw new Error('The Redis package was installed, but brought no redis-server onto the PATH.');
  return binary;
}

type Command = [string, ...string[]];

async function chooseInstaller(): Promise<Command[] | null> {
  const has = (name: string) =>
    run('sh', ['-c', `command -v ${name}`]).then(
      () => true,
      () => false,
    );
  if (process.platform === 'linux' && process.getuid?.() === 0 && (await has('apt-get'))) {
    return [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ];
  }
  if (process.platform === 'darwin' && (await has('brew'))) return [['brew', 'install', 'redis']];
  return null;
}
