import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { freePort } from '../../dev/servers/free-port.ts';
import { installPackage } from '../../dev/servers/install-package.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import { createDirectory, until } from './fixtures.ts';
import { findOrInstall } from './proxy-binaries.ts';

const run = promisify(execFile);

/** The examples in ops/ are for this host, and for a console at this port. */
export const exampleHost = 'ops.example';
const examplePort = '127.0.0.1:9464';

/** A proxy in front of a console, on loopback. */
export interface WebProxy {
  port: number;
  /** whose certificate it has, in PEM; '' when it speaks plain HTTP */
  authority: string;
}

export interface WebProxyOptions {
  /** where the console listens */
  consolePort: number;
  /** what to change in the example, each a text that is in it */
  changes?: readonly (readonly [from: string, to: string])[];
}

/** Starts nginx, which it installs where it is missing, with the example of `ops/nginx`. */
export async function startNginx({ consolePort, changes = [] }: WebProxyOptions): Promise<WebProxy> {
  const binary = await findOrInstall('nginx');
  const dir = await createDirectory();
  const [certificate, key] = [join(dir, 'ops.example.pem'), join(dir, 'ops.example.key')];
  const example = await exampleOf('nginx/sluice.conf', [...changes, [examplePort, `127.0.0.1:${consolePort}`]]);
  const isTls = example.includes('listen 443 ssl;');
  if (isTls) await makeCertificate({ certificate, key });
  const port = await freePort();
  const server = example
    .replace(/listen 443( ssl)?;/, `listen 127.0.0.1:${port}$1;`)
    .replace('/etc/ssl/ops.example.pem', certificate)
    .replace('/etc/ssl/ops.example.key', key);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = [
    process.getuid?.() === 0 ? 'user root;' : '',
    `pid ${dir}/nginx.pid;`,
    'events {}',
    'http {',
    'access_log off;',
    ...kinds.map((kind) => `${kind}_temp_path ${dir}/${kind};`),
    server,
    '}',
  ];
  await writeFile(join(dir, 'nginx.conf'), config.join('\n'));
  await startProxy(binary, ['-e', 'stderr', '-p', dir, '-c', join(dir, 'nginx.conf'), '-g', 'daemon off;'], {
    port,
    isTls,
  });
  return { port, authority: isTls ? await readFile(certificate, 'utf8') : '' };
}

/** Starts Caddy, which it installs where it is missing, with the example of `ops/caddy` and certificates of its own. */
export async function startCaddy({ consolePort, changes = [] }: WebProxyOptions): Promise<WebProxy> {
  const binary = await findOrInstall('caddy');
  const dir = await createDirectory();
  const [port, unusedPort] = [await freePort(), await freePort()];
  const example = await exampleOf('caddy/Caddyfile', [...changes, [examplePort, `127.0.0.1:${consolePort}`]]);
  const options = [
    'admin off',
    'local_certs',
    'skip_install_trust',
    'auto_https disable_redirects',
    'default_bind 127.0.0.1',
    `http_port ${unusedPort}`,
    `https_port ${port}`,
    `storage file_system ${dir}`,
  ];
  const file = join(dir, 'Caddyfile');
  await writeFile(file, `{\n${options.join('\n')}\n}\n${example}`);
  await startProxy(binary, ['run', '--config', file, '--adapter', 'caddyfile'], { port, isTls: true });
  const root = join(dir, 'pki/authorities/local/root.crt');
  return { port, authority: await until(() => readFile(root, 'utf8').catch(() => null)) };
}

async function exampleOf(name: string, changes: readonly (readonly [string, string])[]): Promise<string> {
  let text = await readFile(new URL(`../../ops/${name}`, import.meta.url), 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`ops/${name} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

async function makeCertificate({ certificate, key }: { certificate: string; key: string }): Promise<void> {
  await run('openssl', ['version']).catch(() => installPackage({ apt: 'openssl', brew: 'openssl' }, process.env));
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${exampleHost}`, '-addext', `subjectAltName=DNS:${exampleHost}`];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
}

/** Starts it, waits until it listens and has its certificate, and stops it when the test has finished. */
async function startProxy(
  command: string,
  args: string[],
  { port, isTls }: { port: number; isTls: boolean },
): Promise<void> {
  const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => {
    said = `${said}${data}`.slice(-4_000);
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  onTestFinished(() => stopProcess(pid, 'SIGTERM', 5_000));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${command} has ended: ${said}`)));
  await Promise.race([until(() => listens(port, isTls)), ended]);
}

function listens(port: number, isTls: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = isTls
      ? connectTls({ port, host: '127.0.0.1', servername: exampleHost, rejectUnauthorized: false })
      : connect(port, '127.0.0.1');
    const answer = (doesListen: boolean) => {
      socket.destroy();
      resolve(doesListen);
    };
    socket.on(isTls ? 'secureConnect' : 'connect', () => answer(true));
    socket.on('error', () => answer(false));
  });
}
