import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { createCompletedRequest } from '../../workers/completed-requests/role.ts';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../support/fixtures.ts';
import { startRole, startWorker } from '../support/worker.ts';
import { environmentOf, run } from './npm.ts';

const { npm, yarn, pnpm, typescript } = inject('services');
const env = environmentOf(inject('oldestNode'));
const strategy = 'of-the-package';
const span = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };

/** A service has so long to do its work and to end by itself. */
const deadlineMs = 120_000;

/** Runs a command as a service whose records workers store, and waits for the rows. */
async function runService(command: string[], cwd: string, rows = { executions: [strategy], requests: 1 }) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  await startRole(createCompletedRequest, databaseUrl, namespace);
  const ended = await run(command, {
    cwd,
    env: {
      ...env,
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: namespace,
      DSL_EXECUTION_LOG_SAMPLE_RATE: '1',
      STRATEGY: strategy,
      REQUEST: randomUUID(),
      TRACE_ID: span.trace_id,
      SPAN_ID: span.span_id,
    },
    signal: AbortSignal.timeout(deadlineMs),
  });
  expect(ended.code, ended.output.slice(-3_000)).toBe(0);
  const client = await connect(databaseUrl);
  const stored = async () => {
    const executions = await client.query<{ strategy_id: string }>(
      'select strategy_id from strategy_execution_log order by 1',
    );
    const requests = await client.query('select from request');
    return { executions: executions.rows.map((row) => row.strategy_id), requests: requests.rowCount };
  };
  await until(async () => {
    const { executions, requests } = await stored();
    return executions.length >= rows.executions.length && (requests ?? 0) >= rows.requests;
  });
  expect(await stored()).toEqual(rows);
  return { ...ended, client };
}

const node = (...args: string[]): string[] => ['node', ...args];

describe.each([
  ['npm', npm],
  ['yarn 1', yarn],
  ['pnpm', pnpm],
])('installed by %s', (_name, service) => {
  test('a module imports it, stores its records, and ends by itself after close()', async () => {
    await runService(node('service.mjs'), service);
  });

  test('a script requires it', async () => {
    await runService(node('service.cjs'), service);
  });
});

test('a worker thread', async () => {
  await runService(node('thread.mjs'), npm);
});

test('a cluster of four', async () => {
  const executions = [0, 1, 2, 3].map((n) => `${strategy}-${n}`);
  await runService(node('cluster.mjs'), npm, { executions, requests: 4 });
});

test('a process that imports it and requires it counts into the same metrics', async () => {
  const executions = [0, 1].map((n) => `${strategy}-${n}`);
  await runService(node('both.mjs'), npm, { executions, requests: 0 });
});

test('a host with OpenTelemetry: both builds name the span that is active', async () => {
  const executions = [0, 1].map((n) => `${strategy}-${n}`);
  const { client } = await runService(node('span.mjs'), typescript, { executions, requests: 2 });
  const stored = await client.query(
    'select trace_id, span_id from strategy_execution_log union all select trace_id, span_id from request',
  );
  expect(stored.rows).toEqual([span, span, span, span]);
});

const strict = { strict: true, esModuleInterop: true, target: 'es2022', types: ['node'] };

test.each([
  ['node', 'commonjs', 'commonjs'],
  ['node16', 'node16', 'commonjs'],
  ['node16', 'node16', 'module'],
  ['nodenext', 'nodenext', 'commonjs'],
  ['nodenext', 'nodenext', 'module'],
  ['bundler', 'esnext', 'module'],
])(
  'TypeScript with moduleResolution %s, module %s, in a package of type %s',
  async (moduleResolution, module, type) => {
    const outDir = join(typescript, `out-${moduleResolution}-${type}`);
    const source = join(typescript, `src-${moduleResolution}-${type}`);
    await mkdir(source, { recursive: true });
    await mkdir(outDir, { recursive: true });
    const manifest = JSON.stringify({ type });
    for (const dir of [source, outDir]) await writeFile(join(dir, 'package.json'), manifest);
    for (const name of ['main.ts', 'run.ts']) await copyFile(join(typescript, name), join(source, name));
    await writeFile(
      join(source, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...strict, skipLibCheck: type === 'commonjs', module, moduleResolution, outDir },
        files: ['main.ts'],
      }),
    );
    const compiled = await run(node('node_modules/typescript/bin/tsc', '-p', source), { cwd: typescript, env });
    expect(compiled).toEqual({ code: 0, output: '' });
    await runService(node(join(outDir, 'main.js')), typescript);
  },
);

test('Jest with ts-jest in CommonJS', async () => {
  const { output } = await runService(node('node_modules/jest/bin/jest.js', '--config', 'jest.config.cjs'), typescript);
  expect(output).toContain('1 passed');
  expect(output).not.toContain('did not exit');
});

test('Vitest', async () => {
  const { output } = await runService(node('node_modules/vitest/vitest.mjs', 'run', 'service.spec.ts'), typescript);
  expect(output).toMatch(/Tests .*1 passed/);
});

test.each([
  ['esm', 'mjs', ["--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);"]],
  ['cjs', 'cjs', []],
])('a bundle of esbuild, %s', async (format, extension, options) => {
  // Without node_modules above it: all is in the bundle.
  const dir = await createDirectory();
  const file = join(dir, `main.${extension}`);
  const built = await run(
    [
      join(typescript, 'node_modules/.bin/esbuild'),
      'main.ts',
      '--bundle',
      '--platform=node',
      '--target=node20',
      `--format=${format}`,
      `--outfile=${file}`,
      '--log-level=warning',
      ...options,
    ],
    { cwd: typescript, env },
  );
  expect(built.code, built.output).toBe(0);
  await runService(node(file), dir);
});
