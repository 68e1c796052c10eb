import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs a package with the system's package manager: apt-get as root on Debian and Ubuntu, Homebrew on macOS.
 *
 * @returns false where neither applies
 * @throws Error with the package manager's last line
 */
export async function installPackage(
  names: { apt: string; brew?: string },
  environment: NodeJS.ProcessEnv,
): Promise<boolean> {
  const commands = await chooseCommands(names);
  for (const [command, ...args] of commands ?? []) {
    await run(command, args, {
      // The package would start its own server on the default port; the private server uses another one.
      env: { ...environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      maxBuffer: 64 * 1024 * 1024,
    }).catch((cause: Error & { stderr?: string }) => {
      throw new Error(
        `${[command, ...args].join(' ')} failed: ${cause.stderr?.trim().split('\n').at(-1) ?? cause.message}`,
      );
    });
  }
  return commands !== null;
}

type Command = [string, ...string[]];

/** Another process may be installing something: wait for its lock. */
const waitForLock = 'DPkg::Lock::Timeout=300';

async function chooseCommands({ apt, brew }: { apt: string; brew?: string }): Promise<Command[] | null> {
  const has = (name: string) =>
    run('sh', ['-c', `command -v ${name}`]).then(
      () => true,
      () => false,
    );
  if (process.platform === 'linux' && process.getuid?.() === 0 && (await has('apt-get'))) {
    return [
      ['apt-get', 'update', '-qq', '-o', waitForLock],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', '-o', waitForLock, apt],
    ];
  }
  if (brew !== undefined && process.platform === 'darwin' && (await has('brew'))) return [['brew', 'install', brew]];
  return null;
}
