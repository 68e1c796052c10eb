import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { toError, UsageError } from '../errors.ts';
import { type RedisTls, redisVariables } from './redis-target.ts';

/** What a TLS connection is made with. A field that is absent is as Node.js has it. */
export interface TlsOptions {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
}

/**
 * Reads the files of a connection over TLS.
 *
 * @throws UsageError that names the variable, when a file cannot be read, or does not hold what it should
 */
export function readTlsFiles({ caFile, certFile, keyFile, servername }: RedisTls): TlsOptions {
  const read = {
    ...(caFile === null ? {} : { ca: readPem('tlsCaFile', caFile) }),
    ...(certFile === null ? {} : { cert: readPem('tlsCertFile', certFile) }),
    ...(keyFile === null ? {} : { key: readPem('tlsKeyFile', keyFile) }),
  };
  try {
    createSecureContext(read);
  } catch (thrown) {
    const names = [redisVariables.tlsCertFile, redisVariables.tlsKeyFile].join(', ');
    throw new UsageError(
      `${names}: the certificate and the key cannot be used (${codeOf(thrown)}); check that both are PEM files without a passphrase, and that they belong together`,
    );
  }
  return { ...read, ...(servername === null ? {} : { servername }) };
}

function readPem(setting: 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile', file: string): Buffer {
  const name = redisVariables[setting];
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (thrown) {
    throw new UsageError(
      `${name}: ${JSON.stringify(file)} cannot be read (${codeOf(thrown)}); correct the path, or let this user read the file`,
    );
  }
  const kind = setting === 'tlsKeyFile' ? 'PRIVATE KEY' : 'CERTIFICATE';
  // Node.js itself takes a file without a certificate for one that trusts nobody.
  if (!text.includes(`${kind}-----`))
    throw new UsageError(
      `${name}: ${JSON.stringify(file)} holds no ${kind.toLowerCase()}; accepted: a PEM file (-----BEGIN …${kind}-----)`,
    );
  return text;
}

function codeOf(thrown: unknown): string {
  const { code, name } = toError(thrown) as NodeJS.ErrnoException;
  return code ?? name;
}
