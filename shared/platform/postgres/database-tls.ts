import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { UsageError } from '../errors.ts';
import type { TlsDemand } from './database-url.ts';

/** How one attempt to connect goes about TLS, as the driver wants it. Undefined: as the driver's own variables say. */
export type TlsAttempt = false | ConnectionOptions | undefined;

/**
 * The attempts that an `sslmode` asks for, in their order: the second is made when the server does not do the first.
 *
 * @throws UsageError when a file cannot be read
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function planTls({ mode, rootCert, cert, key }: TlsDemand): readonly [TlsAttempt, ...TlsAttempt[]] {
  const own = {
    ...(cert === undefined ? {} : { cert: readPem('sslcert', cert) }),
    ...(key === undefined ? {} : { key: readPem('sslkey', key) }),
  };
  const ca = rootCert === undefined || rootCert === 'system' ? {} : { ca: readPem('sslrootcert', rootCert) };
  const unverified = { ...own, rejectUnauthorized: false };
  // The authority has to have signed the certificate, whoever it is for.
  const ofAuthority = { ...own, ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'none':
      return [undefined];
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'no-verify':
      return [unverified];
    case 'require':
      return [rootCert === undefined ? unverified : ofAuthority];
    case 'verify-ca':
      return [ofAuthority];
    case 'verify-full':
      return [{ ...own, ...ca, rejectUnauthorized: true }];
  }
}

function readPem(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`DATABASE_URL: the ${parameter} file cannot be read (${code}): ${file}`, { cause });
  }
}

/** Certificates that Node does not trust, by the codes of its errors. */
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);

/**
 * What went wrong with TLS while a connection was made, as a name for `classifyDatabaseError`; null: it was something else.
 * The driver says it in words, Node in codes.
 */
export function tlsFailureOf(error: unknown): string | null {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (message === 'The server does not support SSL connections') return 'TlsNotOffered';
  if (message === 'There was an error establishing an SSL connection') return 'TlsFailed';
  if (typeof code !== 'string') return null;
  if (untrusted.has(code)) return 'TlsUntrusted';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') return 'TlsOtherHost';
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(code)) return 'TlsExpired';
  return /^(?:ERR_(?:TLS|SSL|OSSL)|CERT_|CRL_|EPROTO$)/.test(code) ? 'TlsFailed' : null;
}
