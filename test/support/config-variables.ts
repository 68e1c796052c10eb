import type { Config } from '../../shared/platform/config/config.ts';
import { acceptedNatMap, acceptedRedisNodes } from '../../shared/platform/redis/redis-nodes.ts';
import { acceptedRedisUrls } from '../../shared/platform/redis/redis-url.ts';

/** What one variable does: where its value ends up, what it is without one, what it takes, what it refuses. */
interface Variable {
  read: (config: Config) => unknown;
  fallback: unknown;
  takes: [text: string, value: unknown][];
  refuses: string[];
  accepted: string;
}

const noNumber = [' ', 'NaN', 'Infinity', '1e999', '0x10', '1_000', '1,5', 'many', '-'];
const mib = 1_048_576;

function integer(read: Variable['read'], fallback: number | null, min: number, max: number, unit: string): Variable {
  return {
    read,
    fallback,
    takes: [
      [String(min), min],
      [String(max), max],
      [` ${max} `, max],
    ],
    refuses: [...noNumber, String(min - 1), String(max + 1), `${min}.5`],
    accepted: `a whole number from ${min} to ${max} (${unit})`,
  };
}

const ms = (read: Variable['read'], fallback: number, min: number, max: number) =>
  integer(read, fallback, min, max, 'milliseconds');

function url(read: Variable['read'], schemes: [string, string], refuses: string[]): Variable {
  const takes = schemes.map((scheme): [string, string] => [`${scheme}://u:p@h:1/d`, `${scheme}://u:p@h:1/d`]);
  return {
    read,
    fallback: null,
    takes,
    refuses: [' ', 'localhost', '127.0.0.1:6379', 'http://h', ...refuses],
    accepted: `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  };
}

function text(read: Variable['read']): Variable {
  return { read, fallback: null, takes: [['a text of any kind', 'a text of any kind']], refuses: [], accepted: '' };
}

function nodes(read: Variable['read'], takes: string[]): Variable {
  return {
    read,
    fallback: null,
    takes: takes.map((list) => [list, list]),
    refuses: [' ', 'h', 'h:0', 'h:65536', 'h:1,', '::1:6379', 'redis://h:1', 'u:p@h:1', 'h:1;g:2'],
    accepted: acceptedRedisNodes,
  };
}

function streamName(read: Variable['read'], fallback: string): Variable {
  return {
    read,
    fallback,
    takes: ['s', 'eu:runtime/health', '{slot}:é', 's'.repeat(200)].map((text) => [text, text]),
    refuses: [' ', 'a b', 'a\tb', 'a\n', 's'.repeat(201)],
    accepted: '1 to 200 characters without whitespace',
  };
}

function bearerToken(read: Variable['read']): Variable {
  return {
    read,
    fallback: null,
    takes: ['t'.repeat(16), '!~'.repeat(250)].map((text) => [text, text]),
    refuses: ['', 't'.repeat(15), 't'.repeat(501), 'a token of words', 'ü'.repeat(16), `${'t'.repeat(16)}\n`],
    accepted: '16 to 500 visible ASCII characters without spaces',
  };
}

/** Every variable, in the order of `.env.example`. */
export const expected: Record<string, Variable> = {
  DATABASE_URL: url((c) => c.database.url, ['postgresql', 'postgres'], ['redis://h', 'mysql://h', 'postgres:5432']),
  SLUICE_MIGRATE_DATABASE_URL: url(
    (c) => c.migrator.url,
    ['postgresql', 'postgres'],
    ['redis://h', 'mysql://h', 'postgres:5432'],
  ),
  REDIS_URL: {
    read: (c) => c.redis.url,
    fallback: null,
    takes: ['redis://u:p@h:1/2', 'rediss://u:p%25@h'].map((text) => [text, text]),
    refuses: [' ', 'localhost', '127.0.0.1:6379', 'http://h', 'redis:6379', 'redis://h/abc', 'redis://u:%zz@h'],
    accepted: acceptedRedisUrls,
  },
  // With a name for the primary only: see redis-target.test.ts.
  REDIS_SENTINEL_NODES: nodes((c) => c.redis.sentinelNodes, []),
  REDIS_SENTINEL_MASTER_NAME: text((c) => c.redis.sentinelMasterName),
  REDIS_SENTINEL_USERNAME: text((c) => c.redis.sentinelUsername),
  REDIS_SENTINEL_PASSWORD: text((c) => c.redis.sentinelPassword),
  REDIS_CLUSTER_NODES: nodes((c) => c.redis.clusterNodes, ['h:1', 'a.b-c:6379, [::1]:65535,10.0.0.1:6379']),
  REDIS_CLUSTER_NAT_MAP: {
    read: (c) => c.redis.clusterNatMap,
    fallback: null,
    takes: ['{}', '{"10.0.0.1:6379":{"host":"h","port":1}}'].map((map) => [map, map]),
    refuses: [
      ' ',
      'h:1',
      '[]',
      'null',
      '{"h:1":"g:1"}',
      '{"h:1":{"host":"","port":1}}',
      '{"h:1":{"host":"g","port":0}}',
    ],
    accepted: acceptedNatMap,
  },
  REDIS_USERNAME: text((c) => c.redis.username),
  REDIS_PASSWORD: text((c) => c.redis.password),
  REDIS_DB: {
    ...integer((c) => c.redis.db, null, 0, 2 ** 31 - 1, ''),
    accepted: `a whole number from 0 to ${2 ** 31 - 1}`,
  },
  REDIS_TLS: {
    read: (c) => c.redis.tls,
    fallback: false,
    takes: [
      ['true', true],
      ['0', false],
    ],
    refuses: [' ', 'required'],
    accepted: 'true or false (also 1/0, yes/no, on/off)',
  },
  REDIS_TLS_CA_FILE: text((c) => c.redis.tlsCaFile),
  REDIS_TLS_CERT_FILE: text((c) => c.redis.tlsCertFile),
  REDIS_TLS_KEY_FILE: text((c) => c.redis.tlsKeyFile),
  REDIS_TLS_SERVERNAME: text((c) => c.redis.tlsServername),
  SLUICE_NAMESPACE: {
    read: (c) => c.namespace,
    fallback: 'sluice',
    takes: [
      ['a', 'a'],
      ['A-z_9', 'A-z_9'],
      ['n'.repeat(64), 'n'.repeat(64)],
    ],
    refuses: [' ', 'a:b', 'a{b}', 'ä', 'n'.repeat(65), 'a\n'],
    accepted: '1 to 64 letters, digits, - or _',
  },
  SLUICE_LOG_LEVEL: {
    read: (c) => c.logLevel,
    fallback: 'info',
    takes: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => [level, level]),
    refuses: ['INFO', 'verbose', ' info'],
    accepted: 'one of trace, debug, info, warn, error, fatal, silent',
  },
  DSL_EXECUTION_LOG_ENABLED: {
    read: (c) => c.producer.enabled,
    fallback: true,
    takes: [
      ['false', false],
      ['FALSE', false],
      ['0', false],
      ['no', false],
      ['off', false],
      ['true', true],
      ['1', true],
      ['yes', true],
      ['On', true],
    ],
    refuses: [' ', 'maybe', '2', 'constructor'],
    accepted: 'true or false (also 1/0, yes/no, on/off)',
  },
  DSL_EXECUTION_LOG_SAMPLE_RATE: {
    read: (c) => c.producer.sampleRate,
    fallback: 0.05,
    takes: [
      ['0', 0],
      ['1', 1],
      ['0.25', 0.25],
      ['1e-3', 0.001],
      [' .5 ', 0.5],
    ],
    refuses: [...noNumber, '7', '-1', '1.01', '5%'],
    accepted: 'a number from 0 to 1',
  },
  DSL_EXECUTION_LOG_TRACE_LIMIT: integer(
    (c) => c.producer.traceLimit,
    200,
    -1_000_000,
    1_000_000,
    'entries; 0 or less keeps all',
  ),
  DSL_EXECUTION_LOG_QUEUE_MAXSIZE: integer((c) => c.producer.buffer.maxRecords, 10_000, 1, 10_000_000, 'records'),
  SLUICE_PRODUCER_NAME: {
    read: (c) => c.producer.name,
    fallback: null,
    takes: [
      ['web-1', 'web-1'],
      ['p'.repeat(100), 'p'.repeat(100)],
    ],
    refuses: [' ', 'web.1', 'a:b', 'p'.repeat(101)],
    accepted: '1 to 100 letters, digits, - or _',
  },
  SLUICE_BUFFER_MAX_BYTES: integer((c) => c.producer.buffer.maxBytes, 32 * mib, 65_536, 4_096 * mib, 'bytes'),
  SLUICE_RECORD_MAX_BYTES: integer((c) => c.producer.recordMaxBytes, 65_536, 16_384, 16 * mib, 'bytes'),
  SLUICE_CHUNK_MAX_RECORDS: integer((c) => c.producer.chunk.maxRecords, 200, 1, 10_000, 'records'),
  SLUICE_CHUNK_MAX_BYTES: integer((c) => c.producer.chunk.maxBytes, 524_288, 4_096, 16 * mib, 'bytes'),
  SLUICE_CHUNK_MAX_WAIT_MS: ms((c) => c.producer.chunk.maxWaitMs, 20, 0, 60_000),
  SLUICE_METRICS_MAX_SERIES: integer((c) => c.producer.metricsMaxSeries, 1_000, 10, 1_000_000, 'series'),
  SLUICE_SPILL_DIR: {
    read: (c) => c.producer.spill.dir,
    fallback: null,
    takes: [
      ['spill', 'spill'],
      ['/var/lib/my service/spill', '/var/lib/my service/spill'],
    ],
    refuses: [],
    accepted: 'text that is not empty',
  },
  SLUICE_SPILL_MAX_BYTES: integer((c) => c.producer.spill.maxBytes, 1_024 * mib, mib, 1_048_576 * mib, 'bytes'),
  SLUICE_SPILL_FSYNC_MS: ms((c) => c.producer.spill.fsyncMs, 500, 0, 60_000),
  SLUICE_REDIS_MEMORY_SHARE: {
    read: (c) => c.producer.memoryShare,
    fallback: 0.8,
    takes: [
      ['0.1', 0.1],
      ['1', 1],
    ],
    refuses: ['0.09', '1.01', '80%'],
    accepted: 'a number from 0.1 to 1',
  },
  SLUICE_QUEUE_SHARDS: integer((c) => c.producer.shards, 1, 1, 256, 'shards'),
  SLUICE_REQUEST_BUFFER_MAX_RECORDS: integer((c) => c.requests.buffer.maxRecords, 10_000, 1, 10_000_000, 'records'),
  SLUICE_REQUEST_BUFFER_MAX_BYTES: integer((c) => c.requests.buffer.maxBytes, 64 * mib, 65_536, 4_096 * mib, 'bytes'),
  SLUICE_MAX_BODY_BYTES: integer((c) => c.requests.maxBodyBytes, mib, 1_024, 64 * mib, 'bytes'),
  SLUICE_API_KEY_PEPPER: {
    read: (c) => c.requests.apiKeyPepper,
    fallback: null,
    takes: [['p'.repeat(16), 'p'.repeat(16)]],
    refuses: ['', 'p'.repeat(15)],
    accepted: 'at least 16 characters',
  },
  SLUICE_REDACT_FILE: text((c) => c.redact.file),
  SLUICE_REDACT_KEY: {
    read: (c) => c.redact.key,
    fallback: null,
    takes: [['k'.repeat(16), 'k'.repeat(16)]],
    refuses: ['', 'k'.repeat(15)],
    accepted: 'at least 16 characters',
  },
  SLUICE_WORKER_CONCURRENCY: integer((c) => c.worker.concurrency, 100, 1, 10_000, 'jobs'),
  SLUICE_WORKER_MAX_BYTES: integer((c) => c.worker.maxBytes, null, 1 * mib, 16_384 * mib, 'bytes'),
  SLUICE_WORKER_HOST: {
    read: (c) => c.worker.host,
    fallback: '127.0.0.1',
    takes: [
      ['0.0.0.0', '0.0.0.0'],
      ['::1', '::1'],
    ],
    refuses: [],
    accepted: 'text that is not empty',
  },
  SLUICE_WORKER_PORT: integer((c) => c.worker.port, 9_465, 0, 65_535, 'port; 0 picks a free one'),
  SLUICE_METRICS_TOKEN: {
    read: (c) => c.worker.metricsToken,
    fallback: null,
    takes: [['t'.repeat(16), 't'.repeat(16)]],
    refuses: ['', 't'.repeat(15)],
    accepted: 'at least 16 characters',
  },
  SLUICE_LOCK_DURATION_MS: ms((c) => c.worker.lockDurationMs, 15_000, 1_000, 3_600_000),
  SLUICE_STALLED_INTERVAL_MS: ms((c) => c.worker.stalledIntervalMs, 5_000, 500, 3_600_000),
  SLUICE_JOB_DELAY_MS: ms((c) => c.worker.jobDelayMs, 30_000, 100, 3_600_000),
  SLUICE_FAILED_JOBS_KEPT: integer((c) => c.worker.failedJobsKept, 10_000, 1, 10_000_000, 'jobs'),
  SLUICE_DEAD_SHARE_MAX: {
    read: (c) => c.worker.deadShare.maxShare,
    fallback: 0.5,
    takes: [
      ['0.001', 0.001],
      ['1', 1],
    ],
    refuses: ['0', '1.1', 'NaN', 'half'],
    accepted: 'a number from 0.001 to 1',
  },
  SLUICE_DEAD_SHARE_MIN_RECORDS: integer((c) => c.worker.deadShare.minRecords, 1_000, 1, 10_000_000, 'records'),
  SLUICE_POISON_JOB_MAX_STARTS: integer((c) => c.worker.poisonJobMaxStarts, 5, 1, 1_000, 'starts'),
  SLUICE_STUCK_AFTER_MS: ms((c) => c.worker.stuckAfterMs, 120_000, 1_000, 24 * 3_600_000),
  SLUICE_SHUTDOWN_TIMEOUT_MS: ms((c) => c.worker.shutdownTimeoutMs, 25_000, 0, 3_600_000),
  SLUICE_BATCH_MAX_RECORDS: integer((c) => c.batch.maxRecords, 1_000, 1, 100_000, 'records'),
  SLUICE_BATCH_MAX_BYTES: integer((c) => c.batch.maxBytes, 4 * mib, 4_096, 256 * mib, 'bytes'),
  SLUICE_BATCH_MAX_WAIT_MS: ms((c) => c.batch.maxWaitMs, 10, 0, 60_000),
  SLUICE_BATCH_MAX_IN_FLIGHT: integer((c) => c.batch.maxInFlight, 2, 1, 64, 'statements'),
  SLUICE_RETRY_BASE_MS: ms((c) => c.retry.baseMs, 100, 1, 60_000),
  SLUICE_RETRY_MAX_MS: ms((c) => c.retry.maxMs, 5_000, 1, 3_600_000),
  HEALTH_EVENTS_MODE: {
    read: (c) => c.health.mode,
    fallback: 'hardened',
    takes: ['hardened', 'mirror'].map((mode) => [mode, mode]),
    refuses: ['Mirror', ' mirror', 'go'],
    accepted: 'one of hardened, mirror',
  },
  SLUICE_HEALTH_STREAM: streamName((c) => c.health.stream, 'runtime:health_events'),
  SLUICE_HEALTH_LOBBY_STREAM: streamName((c) => c.health.lobbyStream, 'gm:lobby_events'),
  SLUICE_HEALTH_LABEL: streamName((c) => c.health.label, 'health_events'),
  SLUICE_HEALTH_SERVICE: {
    read: (c) => c.health.service,
    fallback: 'gamemaster',
    takes: [
      ['g', 'g'],
      ['Game.master-2_b', 'Game.master-2_b'],
      ['s'.repeat(64), 's'.repeat(64)],
    ],
    refuses: [' ', 'a:b', 'a b', 'ä', 's'.repeat(65)],
    accepted: '1 to 64 letters, digits, ., - or _',
  },
  SLUICE_HEALTH_BATCH_MAX_ENTRIES: integer((c) => c.health.maxEntries, 500, 1, 1_000, 'entries'),
  SLUICE_HEALTH_BLOCK_MS: ms((c) => c.health.blockMs, 2_000, 1, 10_000),
  SLUICE_HEALTH_LEASE_MS: ms((c) => c.health.leaseMs, 10_000, 500, 3_600_000),
  SLUICE_HEALTH_GRACE_MS: ms((c) => c.health.graceMs, 5_000, 0, 600_000),
  SLUICE_HEALTH_BAD_OFFSET: {
    read: (c) => c.health.badOffset,
    fallback: 'fail',
    takes: ['fail', 'earliest', 'latest'].map((policy) => [policy, policy]),
    refuses: ['Fail', '0-0', '$'],
    accepted: 'one of fail, earliest, latest',
  },
  SLUICE_CONSOLE_HOST: {
    read: (c) => c.console.host,
    fallback: '127.0.0.1',
    takes: ['0.0.0.0', '::1', 'localhost'].map((host) => [host, host]),
    refuses: [],
    accepted: 'text that is not empty',
  },
  SLUICE_CONSOLE_PORT: integer((c) => c.console.port, 9_464, 0, 65_535, 'port; 0 picks a free one'),
  SLUICE_CONSOLE_BASE_PATH: {
    read: (c) => c.console.basePath,
    fallback: '',
    takes: [
      ['/', ''],
      ['/sluice', '/sluice'],
      ['/sluice/', '/sluice'],
      ['/team-1/Sluice_2', '/team-1/Sluice_2'],
      ['/sluice/api', '/sluice/api'],
    ],
    refuses: [
      ' ',
      'sluice',
      '//',
      '/a//b',
      '/..',
      '/a/../b',
      '/a b',
      '/%61',
      '/a?b',
      '/a;b',
      '/a.b',
      '/api',
      '/queues/x',
    ],
    accepted:
      'a path such as /sluice: segments of letters, digits, - or _, the first one other than api, assets, healthz, login, metrics, queues, readyz, vendor',
  },
  SLUICE_CONSOLE_ORIGIN: {
    read: (c) => c.console.origin,
    fallback: null,
    takes: [
      ['https://ops.example', 'https://ops.example'],
      ['HTTPS://Ops.Example:443/', 'https://ops.example'],
      ['http://[::1]:8080', 'http://[::1]:8080'],
    ],
    refuses: [
      ' ',
      'ops.example',
      '//ops.example',
      'ftp://ops.example',
      'https://',
      'https://ops.example/sluice',
    ].concat(['https://u:p@ops.example', 'https://ops.example?x', 'https://ops.example:99999', 'https://a,https://b']),
    accepted: 'http:// or https:// with a host and maybe a port, such as https://ops.example; no path',
  },
  SLUICE_CONSOLE_TRUSTED_PROXIES: {
    read: (c) => c.console.trustedProxies.join(' ') || null,
    fallback: null,
    takes: [
      ['10.1.2.3', '10.1.2.3'],
      ['10.0.0.0/8, ::1 ,fd00::/8,uniquelocal', '10.0.0.0/8 ::1 fd00::/8 uniquelocal'],
      ['203.0.113.7/32', '203.0.113.7/32'],
    ],
    refuses: [' ', 'proxy', '10.1.2', '10.0.0.0/0', '::/0', '10.0.0.0/33', '::/129', '10.0.0.0/08', '1.2.3.4,', 'true'],
    accepted:
      'IP addresses and networks, separated by commas, such as 10.1.2.3,10.0.0.0/8; also loopback, linklocal and uniquelocal',
  },
  SLUICE_CONSOLE_READ_TOKEN: bearerToken((c) => c.console.readToken),
  SLUICE_CONSOLE_OPERATOR_TOKEN: bearerToken((c) => c.console.operatorToken),
  SLUICE_CONSOLE_REALM_TOKENS: {
    read: (c) => (c.console.realmTokens.size === 0 ? null : JSON.stringify([...c.console.realmTokens])),
    fallback: null,
    takes: [
      ['{}', null],
      [
        JSON.stringify({ acme: 't'.repeat(16), 'ä b': 'u'.repeat(500) }),
        JSON.stringify([
          ['acme', 't'.repeat(16)],
          ['ä b', 'u'.repeat(500)],
        ]),
      ],
    ],
    refuses: ['', ' ', '[]', 'null', '{', '{"acme":1}', '{"acme":"short"}', `{"":"${'t'.repeat(16)}"}`],
    accepted:
      'a JSON object of realms, each with its token of 16 to 500 visible ASCII characters without spaces, such as {"acme":"…"}',
  },
  SLUICE_GATEWAY_HOST: {
    read: (c) => c.gateway.host,
    fallback: '127.0.0.1',
    takes: [['::1', '::1']],
    refuses: [],
    accepted: 'text that is not empty',
  },
  SLUICE_GATEWAY_PORT: integer((c) => c.gateway.port, 9_466, 0, 65_535, 'port; 0 picks a free one'),
  SLUICE_GATEWAY_TOKENS_FILE: text((c) => c.gateway.tokensFile),
  // With a certificate and a key only: see config-rules.test.ts.
  SLUICE_GATEWAY_TLS_CERT_FILE: { ...text((c) => c.gateway.tlsCertFile), takes: [] },
  SLUICE_GATEWAY_TLS_KEY_FILE: { ...text((c) => c.gateway.tlsKeyFile), takes: [] },
  SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: { ...text((c) => c.gateway.tlsClientCaFile), takes: [] },

  SLUICE_DATABASE_POOL_SIZE: integer((c) => c.database.poolSize, 4, 1, 1_000, 'connections'),
  SLUICE_DATABASE_CONNECT_TIMEOUT_MS: ms((c) => c.database.connectTimeoutMs, 5_000, 100, 600_000),
  SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: ms((c) => c.database.statementTimeoutMs, 30_000, 100, 3_600_000),
  SLUICE_PARTITION_BY: {
    read: (c) => c.database.partitionBy,
    fallback: 'day',
    takes: ['day', 'week', 'month'].map((unit) => [unit, unit]),
    refuses: ['Day', 'days', 'year'],
    accepted: 'one of day, week, month',
  },
  SLUICE_PARTITION_DAYS_AHEAD: integer((c) => c.database.partitionDaysAhead, 7, 1, 365, 'days'),
  SLUICE_RETENTION_DAYS: integer((c) => c.retention.days, 90, 0, 3_650, 'days; 0 keeps forever'),
  SLUICE_REQUEST_RETENTION_DAYS: integer((c) => c.retention.requestDays, 90, 0, 3_650, 'days; 0 keeps forever'),
  SLUICE_DEAD_LETTER_RETENTION_DAYS: integer((c) => c.retention.deadLetterDays, 30, 0, 3_650, 'days; 0 keeps forever'),
  SLUICE_LEDGER_RETENTION_DAYS: integer((c) => c.retention.ledgerDays, 30, 0, 3_650, 'days; 0 keeps forever'),
  SLUICE_ARCHIVE_DIR: {
    read: (c) => c.retention.archiveDir,
    fallback: null,
    takes: [['/var/lib/sluice/archive', '/var/lib/sluice/archive']],
    refuses: [],
    accepted: 'text that is not empty',
  },
  SLUICE_WORKERS: integer((c) => c.fleet.workers, 2, 1, 64, 'processes'),
};

export const roomy = {
  SLUICE_METRICS_TOKEN: 'a token of some length',
  SLUICE_CONSOLE_REALM_TOKENS: '{"realm":"another-token-of-some-length"}',
  SLUICE_DATABASE_POOL_SIZE: '64',
  SLUICE_BATCH_MAX_IN_FLIGHT: '1',
  SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '100',
  SLUICE_STUCK_AFTER_MS: '86400000',
  SLUICE_LOCK_DURATION_MS: '120000',
  SLUICE_BATCH_MAX_WAIT_MS: '0',
  SLUICE_RETRY_BASE_MS: '1',
  SLUICE_RETRY_MAX_MS: '60000',
  SLUICE_RECORD_MAX_BYTES: '16384',
  SLUICE_BUFFER_MAX_BYTES: String(16 * mib),
  SLUICE_MAX_BODY_BYTES: '1024',
  SLUICE_REQUEST_BUFFER_MAX_BYTES: String(192 * mib),
};

/** Their values are in no message. */
export const secrets = [
  'DATABASE_URL',
  'SLUICE_MIGRATE_DATABASE_URL',
  'REDIS_URL',
  'REDIS_PASSWORD',
  'REDIS_SENTINEL_PASSWORD',
  'SLUICE_METRICS_TOKEN',
  'SLUICE_API_KEY_PEPPER',
  'SLUICE_REDACT_KEY',
  'SLUICE_CONSOLE_READ_TOKEN',
  'SLUICE_CONSOLE_OPERATOR_TOKEN',
  'SLUICE_CONSOLE_REALM_TOKENS',
];
