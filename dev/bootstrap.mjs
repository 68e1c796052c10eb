// What `npm start`, `npm test` and the other commands run first, on any Node from 20 on, before anything is installed. It
// installs the dependencies, generates the Prisma client, and then runs the given command on the project's own Node. Plain
// JavaScript without dependencies, since none are installed yet. Writes one line to standard error for each step.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const bin = join(modules, '.bin');
const ownNode = join(modules, 'node', 'bin', 'node');

/** npm prints its whole manual after some errors. */
const outputLines = 20;

const environment = {
  ...process.env,
  // npm run has already added it to the PATH, but on a first run the folder does not exist yet.
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  // Migrations run on the engine's WebAssembly build. With any path set here, Prisma does not download the native engine.
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  // Node keeps compiled code there: a process starts in half the time of its first start.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node'),
};

// A reader may stop early, as `head` does.
process.stderr.on('error', () => undefined);

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node ${process.versions.node} is too old to start with; 20 or later is needed.`);
/** The running child, and the signal that was passed on to it: npm signals only this process. Then nothing else is started. */
let running = null;
let asked = null;

await step('dependencies installed', 'lock', digest('package-lock.json'), existsSync(ownNode), installDependencies);
await step(
  'Prisma client generated',
  'client',
  digest('package-lock.json', 'prisma/schema.prisma'),
  existsSync(join(root, 'prisma/client/client.ts')),
  generateClient,
);
await run(process.argv.slice(2));

/** Does a step, unless its inputs are unchanged since the last time and its result still exists. */
async function step(done, name, inputs, resultExists, work) {
  const stampFile = join(modules, '.sluice', name);
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : null;
  if (resultExists && stamp === inputs) return;
  const startedAt = Date.now();
  await work();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, inputs);
  process.stderr.write(`sluice: ${done} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`);
}

function digest(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function installDependencies() {
  process.stderr.write('sluice: installing dependencies, about a minute the first time\n');
  // npm run says where npm is; without it, use the npm on the PATH.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  return quietly([...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed');
}

function generateClient() {
  return quietly([ownNode, join(modules, 'prisma', 'build', 'index.js'), 'generate'], 'prisma generate failed');
}

/** Runs a command whose output matters only if it fails. */
async function quietly([command, ...args], failure) {
  const output = [];
  const child = start(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => output.push(bytes));
  const { code } = await ended(child);
  if (asked !== null) process.exit(codeOf(asked));
  if (code === 0) return;
  const lines = Buffer.concat(output).toString().split('\n');
  fail([`${failure}:`, ...lines.filter((line) => !/^npm error\s*$/.test(line)).slice(0, outputLines)].join('\n'));
}

/** Replaces this process with the command as far as possible, so that signals and the exit code are the command's own. */
async function run([command, ...args]) {
  if (command === undefined) process.exit(0);
  if (typeof process.execve === 'function' && command === 'node')
    process.execve(ownNode, [ownNode, ...args], environment);
  const { code, signal } = await ended(start(command === 'node' ? ownNode : command, args, { stdio: 'inherit' }));
  process.exit(code ?? codeOf(signal));
}

/** Before a child is started, a signal ends this process; from then on it is passed to the child. */
function start(command, args, options) {
  if (running === null)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => {
        asked = signal;
        running.kill(signal);
      });
  running = spawn(command, args, { env: environment, ...options });
  return running;
}

/** How a process ended. */
function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => fail(`${child.spawnfile} could not be started: ${error.message}`));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** The exit code by which a shell reports that a signal ended a process. */
function codeOf(signal) {
  return 128 + constants.signals[signal];
}

function fail(message) {
  process.stderr.write(`sluice: ${message}\n`);
  process.exit(1);
}
