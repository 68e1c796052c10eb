import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { toError } from '../shared/platform/errors.ts';
import { releaseChangelog } from './release-changelog.ts';

/**
 * `npm run release -- VERSION`: sets the version, closes the changelog, packs the tarballs, commits and tags. It pushes nothing.
 * If a step fails, the files are restored.
 */

const tarballs = 'dist/release';

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function check(version: string | undefined): string {
  if (version === undefined || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    throw new Error('usage: npm run release -- VERSION, with a version such as 0.2.0 or 0.2.0-rc.1');
  if (run('git', 'status', '--porcelain') !== '') throw new Error('commit or stash your changes first');
  if (run('git', 'tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} already exists`);
  return version;
}

function release(version: string): void {
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync('CHANGELOG.md', releaseChangelog(changelog, version, today));
  run(
    'npm',
    'version',
    version,
    '--no-git-tag-version',
    '--allow-same-version',
    '--workspaces',
    '--include-workspace-root',
  );
  run('npm', 'run', '--silent', 'build');
  mkdirSync(tarballs, { recursive: true });
  // Not the root package: it is private, and runs from a checkout or the image.
  const packed = run('npm', 'pack', '--workspaces', '--pack-destination', tarballs);
  run('git', 'commit', '--all', '--message', `Release ${version}`);
  run('git', 'tag', '--annotate', `v${version}`, '--message', `Sluice ${version}`);
  process.stdout.write(
    `${packed
      .split('\n')
      .map((name) => `${tarballs}/${name}`)
      .join('\n')}\ntagged v${version}. Next: git push --follow-tags, and npm publish the tarballs\n`,
  );
}

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  const version = check(positionals[0]);
  try {
    release(version);
  } catch (error) {
    run('git', 'checkout', '--quiet', 'HEAD', '--', '.');
    throw error;
  }
} catch (error) {
  process.stderr.write(`release: ${toError(error).message}\n`);
  process.exit(1);
}
