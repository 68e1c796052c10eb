import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { toError, UsageError } from '../../shared/platform/errors.ts';
import type { GatewayConfig } from '../gateway-groups.ts';

/** What the server's TLS is made with. */
export interface ServerTls extends SecureContextOptions {
  cert: Buffer;
  requestCert: boolean;
  rejectUnauthorized: boolean;
}

/** The files; none: plain HTTP. */
export function tlsFilesOf({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: GatewayConfig['gateway']): string[] {
  return [tlsCertFile, tlsKeyFile, tlsClientCaFile].filter((file) => file !== null);
}

/** Null: plain HTTP. @throws UsageError that names the variable, when a file cannot be read or used */
export function readServerTls({
  tlsCertFile,
  tlsKeyFile,
  tlsClientCaFile,
}: GatewayConfig['gateway']): ServerTls | null {
  if (tlsCertFile === null || tlsKeyFile === null) return null;
  const asksForCertificates = tlsClientCaFile !== null;
  const tls = {
    cert: readFile('SLUICE_GATEWAY_TLS_CERT_FILE', tlsCertFile),
    key: readFile('SLUICE_GATEWAY_TLS_KEY_FILE', tlsKeyFile),
    ...(asksForCertificates ? { ca: readFile('SLUICE_GATEWAY_TLS_CLIENT_CA_FILE', tlsClientCaFile) } : {}),
    minVersion: 'TLSv1.2' as const,
  };
  try {
    createSecureContext(tls);
  } catch (thrown) {
    throw new UsageError(
      `SLUICE_GATEWAY_TLS_CERT_FILE, SLUICE_GATEWAY_TLS_KEY_FILE: they cannot be used (${codeOf(thrown)}); check that both are PEM files without a passphrase, and that they belong together`,
    );
  }
  return { ...tls, requestCert: asksForCertificates, rejectUnauthorized: asksForCertificates };
}

/** When the server's own certificate expires, in ms since 1970. Null: plain HTTP. */
export function certificateEndsAt(tls: Pick<ServerTls, 'cert'> | null): number | null {
  return tls === null ? null : Date.parse(new X509Certificate(tls.cert).validTo);
}

function readFile(name: string, file: string): Buffer {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (thrown) {
    throw new UsageError(
      `${name}: ${JSON.stringify(file)} cannot be read (${codeOf(thrown)}); correct the path, or let this user read the file`,
    );
  }
  const kind = name === 'SLUICE_GATEWAY_TLS_KEY_FILE' ? 'PRIVATE KEY' : 'CERTIFICATE';
  if (text.includes(`${kind}-----`)) return text;
  // Node.js itself takes a file without a certificate for one that trusts nobody.
  throw new UsageError(
    `${name}: ${JSON.stringify(file)} holds no ${kind.toLowerCase()}; accepted: a PEM file (-----BEGIN …${kind}-----)`,
  );
}

function codeOf(thrown: unknown): string {
  const { code, name } = toError(thrown) as NodeJS.ErrnoException;
  return code ?? name;
}
