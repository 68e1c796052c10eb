import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { installPackage } from '../../dev/servers/install-package.ts';
import { anInput } from '../support/a-gateway.ts';
import { createDirectory, createNamespace, openQueue } from '../support/fixtures.ts';
import { startGatewayCommand } from '../support/gateway-command.ts';
import { recordsOf } from '../support/records-of.ts';
import { createRunner } from '../support/run-sluice.ts';

const run = promisify(execFile);

/** The first call of curl in a page, with its continued lines. */
async function curlOf(page: string): Promise<string> {
  const text = await readFile(page, 'utf8');
  const [call] = /^curl (.*\\\n)*.*$/m.exec(text) ?? [];
  if (call === undefined) throw new Error(`${page} has no call of curl`);
  return call;
}

const environmentOf = (namespace: string) => ({ REDIS_URL: inject('redisUrl'), SLUICE_NAMESPACE: namespace });

test.each(['README.md', 'docs/gateway.md'])(
  'the gateway, as %s says: its curl line is answered as it says',
  async (page) => {
    await run('curl', ['--version']).catch(() => installPackage({ apt: 'curl', brew: 'curl' }, process.env));
    const namespace = createNamespace();
    const gateway = await startGatewayCommand(environmentOf(namespace));
    const call = (await curlOf(page)).replace('http://127.0.0.1:9466', gateway.url);
    const { stdout } = await run('sh', ['-c', call]);
    expect(JSON.parse(stdout)).toEqual({ accepted: 1, rejected: [] });
    const jobs = await openQueue(namespace).getJobs(['waiting']);
    expect(jobs.flatMap((job) => recordsOf(job))).toMatchObject([{ strategyId: 'bonus', durationMs: 1.5 }]);
  },
);

test('the gateway on an address for all: it needs a tokens file, whose entries its own command makes', async () => {
  const namespace = createNamespace();
  const environment = { ...environmentOf(namespace), SLUICE_GATEWAY_HOST: '0.0.0.0' };
  const sluice = createRunner(environment);
  const refused = await sluice('gateway');
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('SLUICE_GATEWAY_TOKENS_FILE');
  expect((await sluice('gateway', 'token', 'a b')).exitCode).toBe(2);

  const made = await sluice('gateway', 'token', 'scoring', '--scope', 'executions', '--realm', 'acme', 'zeta');
  const { token, entry } = made.json() as { token: string; entry: object };
  expect(entry).toMatchObject({ name: 'scoring', scopes: ['executions'], realms: ['acme', 'zeta'] });
  expect(JSON.stringify(entry)).not.toContain(token);
  const dir = await createDirectory();
  await mkdir(join(dir, 'tokens'));
  const file = join(dir, 'tokens', 'tokens.json');
  await writeFile(file, JSON.stringify({ senders: [entry] }));
  const gateway = await startGatewayCommand({ ...environment, SLUICE_GATEWAY_TOKENS_FILE: file });
  const url = gateway.url.replace('0.0.0.0', '127.0.0.1');
  const post = async (authorization: string) =>
    (
      await fetch(`${url}/v1/executions`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(anInput({ realmId: 'zeta' })),
      })
    ).status;
  expect([await post(`Bearer ${token}`), await post('Bearer sluice_nobody')]).toEqual([202, 401]);
  expect([...gateway.stdout, ...gateway.stderr].join('\n')).not.toContain(token);
});
