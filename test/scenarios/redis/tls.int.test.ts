import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { startServer } from '../../../dev/servers/redis-cluster.ts';
import { runChecks } from '../../../doctor/run-checks.ts';
import { createExecutionObserver } from '../../../producers/index.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { createDirectory } from '../../support/fixtures.ts';
import { redisSettings, standFor, targetOf } from '../../support/redis-target.ts';

const run = promisify(execFile);

/** An authority, and certificates of its for a server called redis.internal and for a client. */
async function certificates(dir: string) {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir });
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=authority',
  );
  for (const name of ['server', 'client']) {
    const subject = name === 'server' ? '/CN=redis.internal' : '/CN=client';
    await openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
    );
  }
  return (name: string) => join(dir, name);
}

/** A Redis that speaks TLS with a certificate of a private authority, and wants one of the client. */
async function aTlsServer() {
  const dir = await createDirectory();
  const file = await certificates(dir);
  const [plain, port] = [await freePort(), await freePort()];
  const lines = [
    `tls-port ${port}`,
    `tls-cert-file ${file('server.pem')}`,
    `tls-key-file ${file('server.key')}`,
    `tls-ca-cert-file ${file('ca.pem')}`,
    'tls-auth-clients yes',
    'save ""',
    'appendonly yes',
  ];
  const server = await startServer({ binary: inject('redisBinary'), dir: join(dir, 'redis'), lines }, null, plain);
  onTestFinished(server.stop);
  return { url: `rediss://127.0.0.1:${port}`, plainUrl: `rediss://127.0.0.1:${plain}`, file };
}

test('TLS: with the authority, a certificate and the name of the server, records get through', async () => {
  const { url, file } = await aTlsServer();
  const environment = {
    REDIS_URL: url,
    REDIS_TLS_CA_FILE: file('ca.pem'),
    REDIS_TLS_CERT_FILE: file('client.pem'),
    REDIS_TLS_KEY_FILE: file('client.key'),
    REDIS_TLS_SERVERNAME: 'redis.internal',
  };
  const observer = createExecutionObserver({
    redis: redisSettings(standFor(environment)),
    producer: { sampleRate: 1 },
    registry: new Registry(),
  });
  observer.record(anExecution());
  expect(await observer.close()).toMatchObject({ flushed: 1, unflushed: 0 });
  const { findings } = await runChecks(loadConfig(environment), {});
  expect(findings.find(({ subject, check }) => subject === 'redis' && check === 'connection')).toMatchObject({
    level: 'ok',
  });
});

test('TLS: the doctor tells an unknown authority, a wrong name, a missing certificate and a port without TLS apart', async () => {
  const { url, plainUrl, file } = await aTlsServer();
  const trusting = { REDIS_TLS_CA_FILE: file('ca.pem') };
  const remedyOf = async (environment: Record<string, string>): Promise<string> => {
    const { findings } = await runChecks(loadConfig(environment), {});
    const connection = findings.find(({ subject, check }) => subject === 'redis' && check === 'connection');
    expect(connection?.level).toBe('failure');
    return connection?.remedy ?? '';
  };
  expect(await remedyOf({ REDIS_URL: url })).toContain('set REDIS_TLS_CA_FILE');
  expect(await remedyOf({ REDIS_URL: url, ...trusting })).toContain('set REDIS_TLS_SERVERNAME');
  const named = { ...trusting, REDIS_TLS_SERVERNAME: 'redis.internal' };
  expect(await remedyOf({ REDIS_URL: url, ...named })).toContain('REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE');
  expect(await remedyOf({ REDIS_URL: plainUrl, ...named })).toContain('rediss:// instead of redis://, or the reverse');
});

test('TLS: a client whose authority is unknown says so, and shows no password', async () => {
  const { url } = await aTlsServer();
  const own = new URL(url);
  own.password = 's3cret-s3cret';
  const redis = createRedis(targetOf(own.href), { role: 'consumer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await expect(redis.connect()).rejects.toThrow(/certificate/);
  await redis.connect().catch((error: Error) => expect(String(error)).not.toContain('s3cret'));
});
