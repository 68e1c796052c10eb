import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../../dev/servers/free-port.ts';
import { installPackage } from '../../dev/servers/install-package.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import { createDirectory, until } from './fixtures.ts';

const run = promisify(execFile);

/** The rules of this checkout, as Prometheus reads them. */
export const rulesFile = new URL('../../ops/prometheus/sluice.rules.yml', import.meta.url).pathname;

/** Runs `promtool …`. @throws Error with what it said when it found something */
export async function promtool(args: string[]): Promise<string> {
  const { stdout } = await run(await findBinary('promtool'), args, { maxBuffer: 16 * 1_024 * 1_024 }).catch(
    (error: Error & { stdout: string; stderr: string }) => {
      throw new Error(`promtool ${args[0]}: ${error.stderr}${error.stdout}` || error.message);
    },
  );
  return stdout;
}

/** A Prometheus that a test can ask. */
export interface PrometheusServer {
  url: string;
  /** What its HTTP API answers. @throws Error with what it says is wrong */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  api(path: string, parameters?: Record<string, string>): Promise<any>;
}

/**
 * Starts a Prometheus on loopback that scrapes every two seconds and evaluates the rules of this checkout as often. It goes
 * with the test.
 *
 * @param jobs as `scrape_configs` of its configuration
 */
export async function startPrometheus(jobs: readonly object[]): Promise<PrometheusServer> {
  const dir = await createDirectory();
  const port = await freePort();
  const config = join(dir, 'prometheus.yml');
  await writeFile(
    config,
    stringify({
      // A busy machine takes its time to answer.
      global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '2s' },
      rule_files: [rulesFile],
      scrape_configs: jobs,
    }),
    { mode: 0o600 },
  );
  await promtool(['check', 'config', config]);
  const child = spawn(
    await findBinary('prometheus'),
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  onTestFinished(() => stopProcess(child.pid as number, 'SIGTERM', 10_000));
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/-/ready`)).ok);
  return {
    url,
    async api(path, parameters = {}) {
      const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string };
      if (status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${error}`);
      return data;
    },
  };
}

async function findBinary(name: 'prometheus' | 'promtool'): Promise<string> {
  const find = () => run('sh', ['-c', `command -v ${name}`]).catch(() => null);
  const found =
    (await find()) ??
    ((await installPackage({ apt: 'prometheus', brew: 'prometheus' }, process.env)) && (await find()));
  if (found) return found.stdout.trim();
  throw new Error(`no ${name} on the PATH, and it cannot be installed from here (Debian: apt-get install prometheus)`);
}
