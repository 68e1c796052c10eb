import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installPackage } from '../../dev/servers/install-package.ts';

const run = promisify(execFile);

/**
 * The path of a proxy, which is installed where it is missing. That may take minutes: a test does it before its time counts.
 *
 * @throws Error that says what to install, where that cannot be done from here
 */
export async function findOrInstall(name: 'nginx' | 'caddy'): Promise<string> {
  const find = () => run('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${name}`]).catch(() => null);
  const found = (await find()) ?? ((await installPackage({ apt: name, brew: name }, process.env)) && (await find()));
  if (found) return found.stdout.trim();
  throw new Error(`no ${name} on the PATH, and it cannot be installed from here (Debian: apt-get install ${name})`);
}
