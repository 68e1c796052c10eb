import { lstat, readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import manifest from '../../producers/package.json' with { type: 'json' };
import { environmentOf, run, toolPath } from './npm.ts';

const { npm } = inject('services');
const modules = join(npm, 'node_modules');
const installed = join(modules, 'sluice');
const oldestNode = inject('oldestNode');
const mib = 1_048_576;

/** The bounds that the SDK promises. */
const most = { packages: 40, mebibytes: 25 };

async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What the SDK costs a service that has nothing else: its packages, itself included, and the bytes of their files. */
async function weigh() {
  const files = await filesIn(modules);
  const sizes = await Promise.all(files.map(async (file) => (await lstat(file)).size));
  const packages = files.filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file)).length;
  return { packages, mebibytes: sizes.reduce((sum, size) => sum + size, 0) / mib };
}

/** CPU time in ms that importing takes, the least of a few processes. @param before what the host has imported already */
async function importCost(nodeBinary: string, before: string[] = []): Promise<number> {
  const script = `for (const name of ${JSON.stringify(before)}) await import(name);
    const from = process.cpuUsage(); await import('sluice'); const { user, system } = process.cpuUsage(from);
    console.log((user + system) / 1000)`;
  const costs: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { output } = await run(['node', '--input-type=module', '--eval', script], {
      cwd: npm,
      env: environmentOf(nodeBinary),
    });
    costs.push(Number(output));
  }
  return Math.min(...costs);
}

test('size: a service that installs the SDK gets what the README says, and no more than is promised', async () => {
  const weight = await weigh();
  const readme = await readFile('README.md', 'utf8');
  const [, packages, mebibytes] = /(\d+) packages and (\d+) MB/.exec(readme) ?? [];
  expect(weight.packages).toBe(Number(packages));
  expect(Math.ceil(weight.mebibytes)).toBeLessThanOrEqual(Number(mebibytes));
  expect(Number(packages)).toBeLessThanOrEqual(most.packages);
  expect(Number(mebibytes)).toBeLessThanOrEqual(most.mebibytes);
});

test('import: what it costs is printed', async () => {
  const rows: [string, string, string[]][] = [
    ['Node 20.19', oldestNode, []],
    ['Node 20.19, prom-client is there already', oldestNode, ['prom-client']],
    ['Node 24', process.execPath, []],
    ['Node 24, prom-client is there already', process.execPath, ['prom-client']],
  ];
  const { packages, mebibytes } = await weigh();
  const lines = [`sluice: the SDK installed: ${packages} packages, ${mebibytes.toFixed(1)} MiB`];
  for (const [name, nodeBinary, before] of rows) {
    const cost = await importCost(nodeBinary, before);
    expect(cost).toBeGreaterThan(0);
    lines.push(`sluice: import of the SDK, CPU: ${cost.toFixed(0)} ms (${name})`);
  }
  process.stderr.write(`${lines.join('\n')}\n`);
});

test('import: it loads no client of Redis, keeps nothing alive, and leaves the environment and the registry alone', async () => {
  const script = `import { register } from 'prom-client';
    import { createRequire } from 'node:module';
    const asked = []; process.env = new Proxy(process.env, { get: (all, name) => (asked.push(name), all[name]) });
    await import('sluice'); createRequire(process.cwd() + '/').resolve('sluice'); createRequire(process.cwd() + '/')('sluice');
    const loaded = Object.keys(createRequire(process.cwd() + '/').cache).filter((file) => /node_modules.(bullmq|ioredis)./.test(file));
    console.log(JSON.stringify({ asked: asked.filter((name) => /^(REDIS|SLUICE|DSL)_/.test(String(name))), loaded, metrics: register.getMetricsAsArray().length }))`;
  const { code, output } = await run(['node', '--input-type=module', '--eval', script], {
    cwd: npm,
    env: environmentOf(oldestNode),
    signal: AbortSignal.timeout(60_000),
  });
  expect({ code, ...JSON.parse(output) }).toEqual({ code: 0, asked: [], loaded: [], metrics: 0 });
});

test('tarball: it holds the build, the licence and a readme, and nothing else', async () => {
  const names = (await filesIn(installed)).map((file) => file.slice(installed.length + 1));
  const others = names.filter((name) => !/^dist\/[a-z-]+(\.d)?\.(js|cjs|ts|cts)$/.test(name));
  expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
  for (const name of ['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts'])
    expect(names).toContain(name);
});

test('tarball: none of its files mentions what only the fleet needs', async () => {
  for (const file of await filesIn(installed))
    expect(await readFile(file, 'utf8'), file).not.toMatch(
      /prisma|fastify|bull-?board|commander|uplot|['"]pino['"]|\bzod\b|hyparquet|['"]pg['"]/i,
    );
});

test('tarball: its code imports what it declares, and waits for nothing at its top', async () => {
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  for (const file of (await filesIn(installed)).filter((name) => /\.(c?js|c?ts)$/.test(name))) {
    const text = await readFile(file, 'utf8');
    const imported = [...text.matchAll(/(?<!["'])(?:from|require\(|import\() ?["']([^"']+)["']/g)].map(
      ([, name]) => name ?? '',
    );
    expect(imported.filter((name) => !isBuiltin(name) && !name.startsWith('./') && !declared.includes(name))).toEqual(
      [],
    );
    expect(text).not.toMatch(/^(?:const .* = )?await /m);
  }
});

test('tarball: publint finds nothing', async () => {
  const command = ['node', toolPath(inject('tools'), 'publint', 'src', 'cli.js'), 'run', inject('tarball'), '--strict'];
  expect(await run(command, { cwd: npm, env: environmentOf(oldestNode) })).toMatchObject({ code: 0 });
});

test('tarball: the types are those of each format, for every way of resolving them', async () => {
  const command = [
    'node',
    toolPath(inject('tools'), '@arethetypeswrong', 'cli', 'dist', 'index.js'),
    inject('tarball'),
  ];
  const { code, output } = await run([...command, '--format', 'table-flipped', '--no-color'], {
    cwd: npm,
    env: environmentOf(process.execPath),
  });
  expect(output).toContain('No problems found');
  expect(code).toBe(0);
});
