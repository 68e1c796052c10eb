import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createDirectory } from '../../support/fixtures.ts';
import { clientDir, findPython, pythonEnvironment } from '../../support/python.ts';

const run = promisify(execFile);

/** What a program has said on both of its outputs, however it has ended. */
async function outputOf(python: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const options = { cwd: clientDir, env: { ...pythonEnvironment(), ...environment }, maxBuffer: 64 * 1_048_576 };
  const { stdout, stderr } = await run(python, args, options).catch((error) => error as Record<string, string>);
  return `${stdout}${stderr}`;
}

test('python client: its own tests pass, against a server that refuses, breaks off, hangs and talks nonsense', async () => {
  const python = await findPython('prometheus_client');
  const said = await outputOf(python, ['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.']);
  expect(said).toMatch(/^Ran \d{3} tests[\s\S]*\nOK\n$/m);
  expect(said).not.toContain('skipped');
}, 300_000);

test('python client: it is fully typed', async () => {
  const python = await findPython('mypy');
  const said = await outputOf(python, ['-m', 'mypy', '--cache-dir', await createDirectory(), 'src']);
  expect(said).toMatch(/^Success: no issues found in \d+ source files\n$/);
}, 300_000);

test('python client: its wheel holds the typed package and needs nothing else', async () => {
  const python = await findPython('setuptools', 'wheel');
  const directory = await createDirectory();
  const build = [
    'import os, shutil, sys',
    `shutil.copytree('.', sys.argv[1] + '/source', ignore=shutil.ignore_patterns('tests', 'build', '*.egg-info'))`,
    `os.chdir(sys.argv[1] + '/source')`,
    'from setuptools import build_meta',
    `build_meta.build_wheel('..')`,
  ].join('\n');
  const said = await outputOf(python, ['-c', build, directory]);
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  expect(wheel, said).toBe('sluice_observer-0.1.0-py3-none-any.whl');
  const path = join(directory, String(wheel));
  const names = await outputOf(python, ['-m', 'zipfile', '-l', path]);
  expect(names).toContain('sluice/py.typed');
  expect(names).not.toContain('tests');
  // A wheel of Python code can be imported as it is. -S: without what is installed on this machine.
  const use = 'import sluice; print(sluice.__file__, sluice.ExecutionObserver(environment={}).stats().recorded)';
  expect(await outputOf(python, ['-S', '-c', use], { PYTHONPATH: path })).toContain(`${path}/sluice/__init__.py 0`);
});
