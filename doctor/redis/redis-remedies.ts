import { timeoutCode } from '../answer.ts';

/** Where the lines are that a user of its own needs. */
export const rights = 'as `sluice grants redis` prints them for each role (ACL SETUSER …)';

const trust =
  'set REDIS_TLS_CA_FILE to the PEM file of the authority that signed it; a managed Redis with a private one offers it for download';
const wantsClientCertificate =
  'the server wants a certificate of the client: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE';
const speaksPlain =
  'the server does not speak TLS on this port: write redis:// instead of rediss://, remove REDIS_TLS, or take its TLS port';

/** What can be done about a server that does not let anybody in; by the code of its error. */
const remedies: Record<string, string> = {
  ECONNREFUSED: 'start the server, or correct host and port in REDIS_URL',
  ENOTFOUND: 'correct the host in REDIS_URL',
  EAI_AGAIN: 'look at the name resolution of this machine, or correct the host in REDIS_URL',
  WRONGPASS: 'correct user and password in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD',
  NOAUTH: 'REDIS_URL has no password, and the server wants one; it may also stand in REDIS_PASSWORD',
  NOPERM: `give the user of REDIS_URL the rights of a producer or a worker, ${rights}`,
  DENIED: 'the server is in protected mode: set a password, and put it into REDIS_URL',
  ERR: 'correct REDIS_URL, the number of the database in it included; with REDIS_CLUSTER_NODES, see that it is a cluster',
  NOSENTINEL:
    'see that the Sentinels run, and that REDIS_SENTINEL_MASTER_NAME is the name that they monitor the primary by',
  SENTINELAUTH: 'correct REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD, which are for the Sentinels alone',
  NONODE: 'see that one of the nodes runs, and correct REDIS_CLUSTER_NODES',
  [timeoutCode]:
    'look whether the server hangs, and whether it wants TLS: rediss:// instead of redis:// or the reverse',
  ECONNRESET:
    'look whether the server wants TLS: rediss:// instead of redis:// or the reverse; if it does already, it may want a certificate of the client: REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE',
  SELF_SIGNED_CERT_IN_CHAIN: `the server's certificate is of an authority that is not known here: ${trust}`,
  UNABLE_TO_GET_ISSUER_CERT: `the server's certificate is of an authority that is not known here: ${trust}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the server's certificate is of an authority that is not known here: ${trust}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the server's certificate is of an authority that is not known here: ${trust}`,
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "the server's certificate is signed by itself: set REDIS_TLS_CA_FILE to that certificate",
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
    'the server does not trust the certificate of the client: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE to one of its own authority',
};

/** What can be done, by the code of an error. */
export function remedyOf(code: string): string {
  return remedies[code] ?? 'look at the server, the way to it, and REDIS_URL';
}
