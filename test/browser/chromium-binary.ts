import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const candidates = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The path of a Chromium on the PATH, or null. */
export async function findChromium(): Promise<string | null> {
  for (const name of candidates) {
    const found = await run('sh', ['-c', `command -v ${name}`]).catch(() => null);
    if (found) return found.stdout.trim();
  }
  return null;
}

/**
 * Installs Chromium with apt-get, as root on Debian.
 *
 * @throws Error that says what to install, elsewhere or when that fails
 */
export async function installChromium(environment: NodeJS.ProcessEnv): Promise<string> {
  const isDebian = await run('sh', ['-c', 'command -v apt-get']).then(
    () => true,
    () => false,
  );
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !isDebian) {
    throw new Error(
      'No chromium on the PATH, and it cannot be installed from here. Install one (Debian: sudo apt-get install chromium; ' +
        'Fedora: sudo dnf install chromium), so that one of these is found: ' +
        candidates.join(', '),
    );
  }
  const commands = [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ];
  for (const args of commands) {
    await run('apt-get', args, {
      env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    }).catch((cause: Error & { stderr?: string }) => {
      throw new Error(`apt-get ${args.join(' ')} failed: ${cause.stderr?.trim().split('\n').at(-1) ?? cause.message}`);
    });
  }
  const binary = await findChromium();
  if (!binary) throw new Error('The package chromium was installed, but brought no browser onto the PATH.');
  return binary;
}
