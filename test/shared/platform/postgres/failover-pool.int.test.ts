import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../../../dev/servers/free-port.ts';
import { startPostgres } from '../../../../dev/servers/postgres.ts';
import { unprivileged } from '../../../../dev/servers/unprivileged.ts';
import { runChecks } from '../../../../doctor/run-checks.ts';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { createDatabase, executeWithJson } from '../../../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../../../shared/platform/postgres/explain-database-error.ts';
import { makeCertificates } from '../../../support/certificates.ts';
import { connect, createDirectory, createTestDatabase } from '../../../support/fixtures.ts';
import { parentOfDatabases } from '../../../support/memory-directory.ts';

/** A PostgreSQL that speaks TLS as `localhost`, and is reached as 127.0.0.1, too. */
async function aTlsServer(hba: string) {
  const file = await makeCertificates(await createDirectory());
  const parent = await createDirectory(await parentOfDatabases());
  const { owner } = unprivileged('true', []);
  const settings = {
    ssl: 'on',
    ssl_cert_file: file('server.pem'),
    ssl_key_file: file('server.key'),
    ssl_ca_file: file('ca.pem'),
  };
  for (const name of ['server.key', 'server.pem', 'ca.pem']) if (owner) await chown(file(name), owner.uid, owner.gid);
  const dir = join(parent, 'postgres');
  const server = await startPostgres({ dir, fsync: false, settings });
  onTestFinished(server.stop);
  const admin = await connect(server.url);
  await writeFile(join(dir, 'data', 'pg_hba.conf'), hba);
  await admin.query('select pg_reload_conf()');
  const url = (host: string, parameters: Record<string, string>): string => {
    const changed = new URL(server.url);
    changed.hostname = host;
    changed.search = new URLSearchParams(parameters).toString();
    return changed.href;
  };
  return { file, url };
}

/** Whether the connection is encrypted, or why there is none: the code, once through Prisma and once through the driver. */
async function ask(url: string): Promise<boolean | string> {
  const database = createDatabase(loadConfig({ DATABASE_URL: url }, ['database']).database, 'test');
  onTestFinished(() => database.$disconnect());
  try {
    const [row] = await database.$queryRaw<{ ssl: boolean }[]>`
      select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
    return row?.ssl ?? 'no row';
  } catch (error) {
    const ofDriver = await executeWithJson(database, ['select ', '::text'], 'x').catch((thrown: unknown) => thrown);
    expect(classifyDatabaseError(ofDriver)).toEqual(classifyDatabaseError(error));
    return explainDatabaseError(error);
  }
}

const anyTls = 'host all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n';

test('sslmode: with a server that speaks TLS each mode does what libpq says', async () => {
  const { file, url } = await aTlsServer(anyTls);
  const ca = { sslrootcert: file('ca.pem') };
  const other = { sslrootcert: file('other.pem') };
  expect(await ask(url('localhost', {}))).toBe(false);
  expect(await ask(url('localhost', { sslmode: 'disable' }))).toBe(false);
  expect(await ask(url('localhost', { sslmode: 'allow' }))).toBe(false);
  for (const sslmode of ['prefer', 'require', 'no-verify']) expect(await ask(url('127.0.0.1', { sslmode }))).toBe(true);
  expect(await ask(url('127.0.0.1', { sslmode: 'require', ...ca }))).toBe(true);
  expect(await ask(url('127.0.0.1', { sslmode: 'require', ...other }))).toMatch(/^TlsUntrusted: .*sslrootcert/);
  expect(await ask(url('127.0.0.1', { sslmode: 'verify-ca', ...ca }))).toBe(true);
  expect(await ask(url('localhost', { sslmode: 'verify-ca', ...other }))).toMatch(/^TlsUntrusted: /);
  expect(await ask(url('localhost', { sslmode: 'verify-full', ...ca }))).toBe(true);
  expect(await ask(url('127.0.0.1', { sslmode: 'verify-full', ...ca }))).toMatch(/^TlsOtherHost: .*verify-ca/);
  expect(await ask(url('localhost', { sslmode: 'verify-full', sslrootcert: 'system' }))).toMatch(/^TlsUntrusted: /);
  expect(() =>
    createDatabase(
      loadConfig({ DATABASE_URL: url('localhost', { sslmode: 'verify-ca', sslrootcert: '/none' }) }).database,
      'test',
    ),
  ).toThrow(/sslrootcert file cannot be read \(ENOENT\)/);

  const environment = {
    DATABASE_URL: url('127.0.0.1', { sslmode: 'verify-full', ...ca }),
    REDIS_URL: inject('redisUrl'),
  };
  const { findings } = await runChecks(loadConfig(environment), environment);
  const finding = findings.find(({ subject, check }) => subject === 'postgres' && check === 'connection');
  expect(finding).toMatchObject({
    level: 'failure',
    remedy: expect.stringContaining('host name in the certificate'),
  });
});

test('sslmode: a server that takes TLS alone, and asks for a certificate', async () => {
  const hba = 'hostssl all all all scram-sha-256 clientcert=verify-ca\n';
  const { file, url } = await aTlsServer(hba);
  const own = { sslcert: file('client.pem'), sslkey: file('client.key') };
  expect(await ask(url('localhost', {}))).toMatch(/^28000: .*sslmode=require/);
  expect(await ask(url('localhost', { sslmode: 'allow', ...own }))).toBe(true);
  expect(await ask(url('localhost', { sslmode: 'verify-full', sslrootcert: file('ca.pem'), ...own }))).toBe(true);
  expect(await ask(url('localhost', { sslmode: 'require' }))).toMatch(/^28000: .*certificate/);
});

test('sslmode: with a server that speaks no TLS', async () => {
  const databaseUrl = await createTestDatabase();
  const ofMode = (sslmode: string): string => `${databaseUrl}?sslmode=${sslmode}`;
  expect(await ask(ofMode('prefer'))).toBe(false);
  expect(await ask(ofMode('allow'))).toBe(false);
  expect(await ask(ofMode('require'))).toMatch(/^TlsNotOffered: .*sslmode/);
});

/** The same database with these hosts in place of its own. */
function withHosts(databaseUrl: string, hosts: readonly string[], query = ''): string {
  const { username, password, pathname } = new URL(databaseUrl);
  return `postgresql://${username}:${password}@${hosts.join(',')}${pathname}${query}`;
}

test('hosts: they are tried in turn, and the one that is as asked for is used', async () => {
  const databaseUrl = await createTestDatabase();
  const live = new URL(databaseUrl).host;
  const dead = `127.0.0.1:${await freePort()}`;
  expect(await ask(withHosts(databaseUrl, [dead, live]))).toBe(false);
  expect(await ask(withHosts(databaseUrl, [live, dead]))).toBe(false);
  expect(await ask(withHosts(databaseUrl, [dead, live], '?target_session_attrs=read-write'))).toBe(false);
  expect(await ask(withHosts(databaseUrl, [live], '?target_session_attrs=primary'))).toBe(false);
  expect(await ask(withHosts(databaseUrl, [dead, live], '?target_session_attrs=standby'))).toMatch(
    /^25006: no server matches/,
  );

  const admin = await connect(databaseUrl);
  await admin.query(
    `alter database "${new URL(databaseUrl).pathname.slice(1)}" set default_transaction_read_only = on`,
  );
  expect(await ask(withHosts(databaseUrl, [live], '?target_session_attrs=read-write'))).toMatch(
    /^25006: no server matches/,
  );
  expect(await ask(withHosts(databaseUrl, [dead, live], '?target_session_attrs=read-only'))).toBe(false);
});

test('hosts: when one goes, the next connections are made to the other', async () => {
  const databaseUrl = await createTestDatabase();
  const parent = await createDirectory(await parentOfDatabases());
  const first = await startPostgres({ dir: join(parent, 'postgres'), fsync: false });
  onTestFinished(first.stop);
  const admin = await connect(first.url);
  const { username, password, pathname, host } = new URL(databaseUrl);
  await admin.query(`create role "${username}_2" superuser login password '${password}'`);
  await admin.query(`create database "${pathname.slice(1)}"`);
  const other = await connect(databaseUrl);
  await other.query(`create role "${username}_2" superuser login password '${password}'`);
  onTestFinished(() => other.query(`drop role "${username}_2"`).then(() => undefined));
  const url = `postgresql://${username}_2:${password}@${new URL(first.url).host},${host}${pathname}`;
  const database = createDatabase(loadConfig({ DATABASE_URL: url }, ['database']).database, 'test');
  onTestFinished(() => database.$disconnect());
  const portOf = async () => (await database.$queryRaw<{ port: number }[]>`select inet_server_port() as port`)[0]?.port;
  expect(await portOf()).toBe(first.port);
  await first.stop();
  await expect.poll(() => portOf().catch(() => null), { timeout: 20_000 }).toBe(Number(new URL(databaseUrl).port));
});
