import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage } from '../../dev/servers/install-package.ts';

const run = promisify(execFile);

/** Certificates of an authority: for a host name, for a client, and the authority's own. */
export async function makeCertificates(dir: string) {
  const file = (name: string): string => join(dir, name);
  await run('openssl', ['version']).catch(() => installPackage({ apt: 'openssl', brew: 'openssl' }, process.env));
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir });
  const key = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file(name),
  ];
  await openssl('req', '-x509', ...key('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=Test authority', '-days', '2');
  await openssl('req', '-x509', ...key('other.key'), '-out', file('other.pem'), '-subj', '/CN=Another', '-days', '2');
  const sign = async (name: string, subject: string, extension: string) => {
    await openssl('req', ...key(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/CN=${subject}`);
    await writeFile(file(`${name}.ext`), extension);
    const by = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
    await openssl(
      'x509',
      '-req',
      '-in',
      file(`${name}.csr`),
      ...by,
      '-extfile',
      file(`${name}.ext`),
      '-out',
      file(`${name}.pem`),
    );
  };
  await sign('server', 'localhost', 'subjectAltName=DNS:localhost');
  await sign('client', 'sluice', 'extendedKeyUsage=clientAuth');
  return file;
}
