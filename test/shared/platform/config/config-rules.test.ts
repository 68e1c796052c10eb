import { expect, test } from 'vitest';
import { problemsOf } from '../../../support/config-problems.ts';

test.each<[rule: string, broken: Record<string, string>, mended: Record<string, string>, problem: string]>([
  [
    'an address that others reach needs a token',
    { SLUICE_WORKER_HOST: '0.0.0.0' },
    { SLUICE_METRICS_TOKEN: 'sixteen letters!' },
    'SLUICE_WORKER_HOST: "0.0.0.0" is reachable from other machines; also set SLUICE_METRICS_TOKEN, or use 127.0.0.1',
  ],
  [
    'a console that others reach needs a token',
    { SLUICE_CONSOLE_HOST: '0.0.0.0' },
    { SLUICE_CONSOLE_READ_TOKEN: 'sixteen-letters!' },
    'SLUICE_CONSOLE_HOST: "0.0.0.0" is reachable from other machines; also set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN, or use 127.0.0.1',
  ],
  [
    'a gateway that others reach needs tokens',
    { SLUICE_GATEWAY_HOST: '0.0.0.0' },
    { SLUICE_GATEWAY_TOKENS_FILE: 'tokens.json' },
    'SLUICE_GATEWAY_HOST: "0.0.0.0" is reachable from other machines; also set SLUICE_GATEWAY_TOKENS_FILE, or use 127.0.0.1',
  ],
  [
    'a certificate comes with its key',
    { SLUICE_GATEWAY_TLS_CERT_FILE: 'cert.pem' },
    { SLUICE_GATEWAY_TLS_KEY_FILE: 'key.pem' },
    'SLUICE_GATEWAY_TLS_CERT_FILE, SLUICE_GATEWAY_TLS_KEY_FILE: one is set without the other; set both, or neither for plain HTTP',
  ],
  [
    'senders show certificates over TLS only',
    { SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: 'ca.pem' },
    { SLUICE_GATEWAY_TLS_CERT_FILE: 'cert.pem', SLUICE_GATEWAY_TLS_KEY_FILE: 'key.pem' },
    'SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: senders show certificates over TLS only; also set SLUICE_GATEWAY_TLS_CERT_FILE and SLUICE_GATEWAY_TLS_KEY_FILE',
  ],
  [
    'what comes through a proxy is refused without tokens, so there is no use in saying where it comes from',
    { SLUICE_CONSOLE_ORIGIN: 'https://ops.example' },
    { SLUICE_CONSOLE_READ_TOKEN: 'sixteen-letters!' },
    'SLUICE_CONSOLE_ORIGIN, SLUICE_CONSOLE_TRUSTED_PROXIES: without a token the console refuses what comes through a proxy; also set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN',
  ],
  [
    'migrations go to the schema that all others use',
    { DATABASE_URL: 'postgres://pooler/d?schema=one', SLUICE_MIGRATE_DATABASE_URL: 'postgres://h/d' },
    { SLUICE_MIGRATE_DATABASE_URL: 'postgres://h/d?sslmode=require&schema=one' },
    'SLUICE_MIGRATE_DATABASE_URL: its schema differs from that of DATABASE_URL; give both the same ?schema=',
  ],
  [
    'each token of the console is another one',
    {
      SLUICE_CONSOLE_OPERATOR_TOKEN: 'sixteen-letters!',
      SLUICE_CONSOLE_REALM_TOKENS: '{"acme":"sixteen-letters!"}',
    },
    { SLUICE_CONSOLE_OPERATOR_TOKEN: 'sixteen-letters?' },
    'SLUICE_CONSOLE_READ_TOKEN, SLUICE_CONSOLE_OPERATOR_TOKEN, SLUICE_CONSOLE_REALM_TOKENS: two tokens are equal; tokens must be different, because each one determines what its bearer may do',
  ],
  [
    'statements under way need as many connections',
    { SLUICE_BATCH_MAX_IN_FLIGHT: '5' },
    { SLUICE_DATABASE_POOL_SIZE: '5' },
    'SLUICE_BATCH_MAX_IN_FLIGHT: 5 concurrent statements need as many connections; raise SLUICE_DATABASE_POOL_SIZE (4)',
  ],
  [
    'a batch waits for at most half of the lock',
    { SLUICE_BATCH_MAX_WAIT_MS: '7501' },
    { SLUICE_LOCK_DURATION_MS: '15002' },
    'SLUICE_BATCH_MAX_WAIT_MS: 7501 must be at most half of SLUICE_LOCK_DURATION_MS (15000); otherwise jobs stall while they wait',
  ],
  [
    'a slow statement is not taken for a stuck worker',
    { SLUICE_STUCK_AFTER_MS: '59999' },
    { SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '29999' },
    'SLUICE_STUCK_AFTER_MS: 59999 must be at least twice SLUICE_DATABASE_STATEMENT_TIMEOUT_MS (30000); otherwise a slow statement looks like a stuck worker',
  ],
  [
    'the first wait is not above the longest',
    { SLUICE_RETRY_BASE_MS: '5001' },
    { SLUICE_RETRY_MAX_MS: '5001' },
    'SLUICE_RETRY_BASE_MS: 5001 must not exceed SLUICE_RETRY_MAX_MS (5000)',
  ],
  [
    'a record fits into the buffer',
    { SLUICE_RECORD_MAX_BYTES: '65537', SLUICE_BUFFER_MAX_BYTES: '65536' },
    { SLUICE_BUFFER_MAX_BYTES: '65537' },
    'SLUICE_RECORD_MAX_BYTES: 65537 must not exceed SLUICE_BUFFER_MAX_BYTES (65536)',
  ],
  [
    'both bodies of a request fit into the buffer',
    { SLUICE_MAX_BODY_BYTES: '30001', SLUICE_REQUEST_BUFFER_MAX_BYTES: '90002' },
    { SLUICE_REQUEST_BUFFER_MAX_BYTES: '90003' },
    'SLUICE_MAX_BODY_BYTES: 30001 must be at most a third of SLUICE_REQUEST_BUFFER_MAX_BYTES (90002), which holds both bodies of a request',
  ],
])('rules: %s', (_rule, broken, mended, problem) => {
  expect(problemsOf(broken)).toEqual([problem]);
  expect(problemsOf({ ...broken, ...mended })).toEqual([]);
});

test('rules: all that are broken are listed at once', () => {
  const broken = {
    SLUICE_WORKER_HOST: '::',
    SLUICE_BATCH_MAX_IN_FLIGHT: '64',
    SLUICE_BATCH_MAX_WAIT_MS: '60000',
    SLUICE_RETRY_BASE_MS: '60000',
    SLUICE_RECORD_MAX_BYTES: '1000000',
    SLUICE_BUFFER_MAX_BYTES: '65536',
  };
  expect(problemsOf(broken).map((line) => line.split(':')[0])).toEqual([
    'SLUICE_WORKER_HOST',
    'SLUICE_BATCH_MAX_IN_FLIGHT',
    'SLUICE_BATCH_MAX_WAIT_MS',
    'SLUICE_RETRY_BASE_MS',
    'SLUICE_RECORD_MAX_BYTES',
  ]);
});

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('rules: %s is loopback, so it needs no token', (host) => {
  expect(problemsOf({ SLUICE_WORKER_HOST: host })).toEqual([]);
});

test.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org', '128.0.0.1', 'localhost.example.org'])(
  'rules: %s is not loopback',
  (host) => {
    expect(problemsOf({ SLUICE_WORKER_HOST: host })).toHaveLength(1);
  },
);
