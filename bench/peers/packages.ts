import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { step } from '../../dev/steps.ts';

/** A package of somebody else that the bench runs beside Sluice. */
export interface PeerPackage {
  name: string;
  version: string;
  license: string;
}

const run = promisify(execFile);

/** They are no dependencies of Sluice: they have a folder of their own, with a lock file of its own. */
const folder = new URL('./packages/', import.meta.url);
const installedFile = new URL('./node_modules/.sluice', folder);

/**
 * Installs the packages with npm, unless that has been done for this lock file.
 *
 * @throws Error with npm's last lines
 */
export async function installPeers(environment: NodeJS.ProcessEnv): Promise<PeerPackage[]> {
  const lock = await readFile(new URL('./package-lock.json', folder));
  const digest = createHash('sha256').update(lock).digest('hex');
  const installed = await readFile(installedFile, 'utf8').catch(() => null);
  if (installed !== digest) {
    await step(
      () => installWithNpm(environment),
      () => 'peers installed',
    );
    await writeFile(installedFile, digest);
  }
  const { dependencies } = await readManifest<{ dependencies: Record<string, string> }>('package.json');
  return Promise.all(
    Object.keys(dependencies).map((name) => readManifest<PeerPackage>(`node_modules/${name}/package.json`)),
  );
}

/** Loads an installed package. Its types are not there when the code is checked, so the caller tells what it uses of it. */
export async function loadPeer<Module>(name: string): Promise<Module> {
  const { resolve } = createRequire(new URL('./package.json', folder));
  return (await import(pathToFileURL(resolve(name)).href)) as Module;
}

async function readManifest<Manifest>(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(new URL(path, folder), 'utf8')) as Manifest;
}

async function installWithNpm(environment: NodeJS.ProcessEnv): Promise<void> {
  // npm run tells where npm is; without it, use the npm on the PATH.
  const { npm_execpath: npm } = environment;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run(command as string, args, { cwd: fileURLToPath(folder), env: environment }).catch(
    (cause: Error & { stderr?: string }) => {
      throw new Error(`the peers could not be installed: ${cause.stderr?.trim() || cause.message}`, { cause });
    },
  );
}
