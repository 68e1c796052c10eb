import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { step } from '../../dev/steps.ts';
import { testDirectoryPrefix } from '../support/leftovers.ts';
import { environmentOf, npmCommand, runOrThrow, toolPath } from './npm.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: string;
    /** the directory of the tools */
    tools: string;
    /** the oldest Node that the SDK promises */
    oldestNode: string;
    /** services that have installed the tarball, by who has installed it; `typescript` also has compilers and test runners */
    services: Record<'npm' | 'yarn' | 'pnpm' | 'typescript', string>;
  }
}

const services = resolve('test/package/services');

/** Packs the SDK, and installs the tarball into empty services. */
export default async function setUp(project: TestProject) {
  const dir = await mkdtemp(join(tmpdir(), `${testDirectoryPrefix}${process.pid}-`));
  const [tools, tarball] = await Promise.all([
    step(installTools, () => 'tools of the package installed'),
    step(
      () => pack(dir),
      () => 'SDK packed',
    ),
  ]);
  const oldestNode = toolPath(tools, 'node', 'bin', 'node');
  const install = createInstall({ dir, tarball, tools, oldestNode });
  const [npm, yarn, pnpm, typescript] = await step(
    () => Promise.all([install.npm(), install.yarn(), install.pnpm(), install.typescript()]),
    () => 'tarball installed by npm, yarn 1 and pnpm',
  );
  project.provide('tarball', tarball);
  project.provide('tools', tools);
  project.provide('oldestNode', oldestNode);
  project.provide('services', { npm, yarn, pnpm, typescript });
  return () => rm(dir, { recursive: true, force: true });
}

/** Kept for the next run, as they are large. */
async function installTools(): Promise<string> {
  const manifest = await readFile('test/package/tools/package.json', 'utf8');
  const dir = resolve(
    'node_modules/.cache/package-tools',
    createHash('sha256').update(manifest).digest('hex').slice(0, 16),
  );
  const stamp = join(dir, 'complete');
  if ((await readFile(stamp).catch(() => null)) === null) {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'package.json'), manifest);
    await npmInstall(dir, process.execPath);
    await writeFile(stamp, '');
  }
  return dir;
}

async function pack(dir: string): Promise<string> {
  await runOrThrow([...npmCommand(), 'pack', '--workspace=sluice', `--pack-destination=${dir}`], {
    cwd: resolve('.'),
    env: environmentOf(process.execPath),
  });
  const [tarball] = (await readdir(dir)).filter((name) => name.endsWith('.tgz'));
  return join(dir, tarball ?? '');
}

async function npmInstall(cwd: string, nodeBinary: string, ...packages: string[]): Promise<void> {
  await runOrThrow([...npmCommand(), 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
    cwd,
    env: environmentOf(nodeBinary),
  });
}

function createInstall(given: { dir: string; tarball: string; tools: string; oldestNode: string }) {
  const { dir, tarball, tools, oldestNode } = given;
  const env = environmentOf(oldestNode);

  const createService = async (name: string, manifest: object): Promise<string> => {
    const service = join(dir, name);
    await cp(services, service, { recursive: true });
    await writeFile(join(service, 'package.json'), JSON.stringify({ name: 'service', private: true, ...manifest }));
    // A package that says it does not run on this Node is refused.
    await writeFile(join(service, '.npmrc'), 'engine-strict=true\n');
    return service;
  };
  const dependencies = { sluice: `file:${tarball}`, 'prom-client': '^15.1.0' };

  return {
    /** Names the tarball only: what else it takes, npm has to find out. */
    async npm() {
      const service = await createService('npm', {});
      await npmInstall(service, oldestNode, tarball);
      return service;
    },
    async yarn() {
      const service = await createService('yarn', { dependencies });
      // It takes a registry of its own, unless it is told to use npm's.
      const registry = (await runOrThrow([...npmCommand(), 'config', 'get', 'registry'], { cwd: service, env })).trim();
      await runOrThrow(
        [
          'node',
          toolPath(tools, 'yarn', 'bin', 'yarn.js'),
          'install',
          '--non-interactive',
          '--no-progress',
          `--cache-folder=${join(dir, 'yarn-cache')}`,
          `--registry=${registry}`,
        ],
        { cwd: service, env },
      );
      return service;
    },
    async pnpm() {
      const service = await createService('pnpm', { dependencies });
      await runOrThrow(
        [
          'node',
          toolPath(tools, 'pnpm', 'bin', 'pnpm.cjs'),
          'install',
          '--prefer-offline',
          `--store-dir=${join(dir, 'pnpm-store')}`,
        ],
        { cwd: service, env },
      );
      return service;
    },
    async typescript() {
      const manifest = JSON.parse(await readFile(join(services, 'typescript.package.json'), 'utf8')) as object;
      const service = await createService('typescript', { ...manifest, dependencies });
      await npmInstall(service, oldestNode);
      return service;
    },
  };
}
