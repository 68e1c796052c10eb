import { timeoutCode } from '../answer.ts';

/** The rights that a dedicated Redis user needs. */
export const rights = 'as `sluice grants redis` prints them for each role (ACL SETUSER …)';

const trust =
  'set REDIS_TLS_CA_FILE to the PEM file of that authority; a managed Redis with a private authority offers it for download';
const wantsClientCertificate =
  'the server requires a client certificate: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE';
const speaksPlain =
  'the server does not speak TLS on this port: write redis:// instead of rediss://, remove REDIS_TLS, or take its TLS port';

/** Remedies for a server that refuses connections, by error code. */
const remedies: Record<string, string> = {
  ECONNREFUSED: 'start the server, or correct the host and port in REDIS_URL',
  ENOTFOUND: 'correct the host in REDIS_URL',
  EAI_AGAIN: "check this machine's name resolution, or correct the host in REDIS_URL",
  WRONGPASS: 'correct the user and password in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD',
  NOAUTH: 'add the password to REDIS_URL, or set REDIS_PASSWORD; the server requires one',
  NOPERM: `give the user in REDIS_URL the rights of a producer or a worker, ${rights}`,
  DENIED: 'the server is in protected mode: set a password, and add it to REDIS_URL',
  NODATABASE: 'correct the database number in REDIS_URL',
  ERR: 'correct REDIS_URL, including the database number; with REDIS_CLUSTER_NODES, make sure that the server is a cluster',
  NOSENTINEL:
    'check that the Sentinels are running, and that REDIS_SENTINEL_MASTER_NAME is the name under which they monitor the primary',
  SENTINELAUTH: 'correct REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD, which are for the Sentinels alone',
  NONODE: 'check that one of the nodes is running, and correct REDIS_CLUSTER_NODES',
  [timeoutCode]:
    'check whether the server hangs, and whether it requires TLS: rediss:// instead of redis://, or the reverse',
  ECONNRESET:
    'check whether the server requires TLS: rediss:// instead of redis://, or the reverse; if TLS is in use already, the server may require a client certificate: REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE',
  SELF_SIGNED_CERT_IN_CHAIN: `the server's certificate was issued by an authority that is not trusted here: ${trust}`,
  UNABLE_TO_GET_ISSUER_CERT: `the server's certificate was issued by an authority that is not trusted here: ${trust}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the server's certificate was issued by an authority that is not trusted here: ${trust}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the server's certificate was issued by an authority that is not trusted here: ${trust}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed: set REDIS_TLS_CA_FILE to that certificate",
  CERT_HAS_EXPIRED: "the server's certificate has expired: renew it on the server; also compare the clocks",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: compare the clocks of the machines",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the server's certificate is for another name: connect by that name, or set REDIS_TLS_SERVERNAME to it",
  ERR_SSL_WRONG_VERSION_NUMBER: speaksPlain,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: speaksPlain,
  EPROTO: speaksPlain,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: wantsClientCertificate,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: wantsClientCertificate,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'the server does not trust the client certificate: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE to one of an authority that it trusts',
};

/** The remedy for an error code. */
export function remedyOf(code: string): string {
  return remedies[code] ?? 'check the server, the network path to it, and REDIS_URL';
}
