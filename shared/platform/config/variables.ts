import { healthStream } from '../../contracts/health-event.ts';
import { lobbyStream } from '../../contracts/lobby-event.ts';
import { toError } from '../errors.ts';
import { parseDatabaseUrl } from '../postgres/database-url.ts';
import { partitionUnits } from '../postgres/partitions/partition-spans.ts';
import type { ConfigOf, ValuesOf, Variables } from './config-groups.ts';
import * as read from './environment.ts';
import {
  producerSecrets,
  producerTokens,
  producerVariables,
  redisEnvironment,
  toProducerGroups,
} from './producer-config.ts';
import { basePath, proxyAddresses, webOrigin } from './public-address.ts';
import { bearerToken, realmTokens } from './tokens.ts';

const kib = 1_024;
const mib = 1_024 * kib;

const hourMs = 3_600_000;

const streamName = read.matching(/^[^\s\p{Cc}]{1,200}$/u, '1 to 200 characters without whitespace');

/** The connection URL of a PostgreSQL. */
const databaseUrl = read.reader((value) => {
  try {
    parseDatabaseUrl(value);
    return { value };
  } catch (error) {
    return { accepted: toError(error).message };
  }
});

const { SLUICE_NAMESPACE, ...ofProducers } = producerVariables;

/**
 * Every environment variable that Sluice reads. Names that begin with `DSL_` are those of the system that it replaces.
 * `.env.example` explains each; a test holds the two together.
 */
export const variables = {
  DATABASE_URL: databaseUrl.optional(),
  SLUICE_MIGRATE_DATABASE_URL: databaseUrl.optional(),
  ...redisEnvironment,
  SLUICE_NAMESPACE,
  SLUICE_LOG_LEVEL: read.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),

  ...ofProducers,

  SLUICE_WORKER_CONCURRENCY: read.integer({ min: 1, max: 10_000, unit: 'jobs' }).default(100),
  SLUICE_WORKER_MAX_BYTES: read.integer({ min: 1 * mib, max: 16_384 * mib, unit: 'bytes' }).optional(),
  SLUICE_WORKER_HOST: read.host.default('127.0.0.1'),
  SLUICE_WORKER_PORT: read.integer({ min: 0, max: 65_535, unit: 'port; 0 picks a free one' }).default(9_465),
  SLUICE_METRICS_TOKEN: read.text(16).optional(),
  SLUICE_LOCK_DURATION_MS: read.milliseconds(1_000, hourMs).default(15_000),
  SLUICE_STALLED_INTERVAL_MS: read.milliseconds(500, hourMs).default(5_000),
  SLUICE_JOB_DELAY_MS: read.milliseconds(100, hourMs).default(30_000),
  SLUICE_FAILED_JOBS_KEPT: read.integer({ min: 1, max: 10_000_000, unit: 'jobs' }).default(10_000),
  SLUICE_DEAD_SHARE_MAX: read.number({ min: 0.001, max: 1 }).default(0.5),
  SLUICE_DEAD_SHARE_MIN_RECORDS: read.integer({ min: 1, max: 10_000_000, unit: 'records' }).default(1_000),
  SLUICE_POISON_JOB_MAX_STARTS: read.integer({ min: 1, max: 1_000, unit: 'starts' }).default(5),
  SLUICE_STUCK_AFTER_MS: read.milliseconds(1_000, 24 * hourMs).default(120_000),
  SLUICE_SHUTDOWN_TIMEOUT_MS: read.milliseconds(0, hourMs).default(25_000),

  SLUICE_BATCH_MAX_RECORDS: read.integer({ min: 1, max: 100_000, unit: 'records' }).default(1_000),
  SLUICE_BATCH_MAX_BYTES: read.integer({ min: 4 * kib, max: 256 * mib, unit: 'bytes' }).default(4 * mib),
  SLUICE_BATCH_MAX_WAIT_MS: read.milliseconds(0, 60_000).default(10),
  SLUICE_BATCH_MAX_IN_FLIGHT: read.integer({ min: 1, max: 64, unit: 'statements' }).default(2),
  SLUICE_RETRY_BASE_MS: read.milliseconds(1, 60_000).default(100),
  SLUICE_RETRY_MAX_MS: read.milliseconds(1, hourMs).default(5_000),

  HEALTH_EVENTS_MODE: read.oneOf(['hardened', 'mirror']).default('hardened'),
  SLUICE_HEALTH_STREAM: streamName.default(healthStream),
  SLUICE_HEALTH_LOBBY_STREAM: streamName.default(lobbyStream),
  SLUICE_HEALTH_LABEL: streamName.default('health_events'),
  SLUICE_HEALTH_SERVICE: read.matching(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, ., - or _').default('gamemaster'),
  SLUICE_HEALTH_BATCH_MAX_ENTRIES: read.integer({ min: 1, max: 1_000, unit: 'entries' }).default(500),
  SLUICE_HEALTH_BLOCK_MS: read.milliseconds(1, 10_000).default(2_000),
  SLUICE_HEALTH_LEASE_MS: read.milliseconds(500, hourMs).default(10_000),
  SLUICE_HEALTH_GRACE_MS: read.milliseconds(0, 600_000).default(5_000),
  SLUICE_HEALTH_BAD_OFFSET: read.oneOf(['fail', 'earliest', 'latest']).default('fail'),

  SLUICE_CONSOLE_HOST: read.host.default('127.0.0.1'),
  SLUICE_CONSOLE_PORT: read.integer({ min: 0, max: 65_535, unit: 'port; 0 picks a free one' }).default(9_464),
  SLUICE_CONSOLE_BASE_PATH: basePath.default(''),
  SLUICE_CONSOLE_ORIGIN: webOrigin.optional(),
  SLUICE_CONSOLE_TRUSTED_PROXIES: proxyAddresses.default([]),
  SLUICE_CONSOLE_READ_TOKEN: bearerToken.optional(),
  SLUICE_CONSOLE_OPERATOR_TOKEN: bearerToken.optional(),
  SLUICE_CONSOLE_REALM_TOKENS: realmTokens.optional(),

  SLUICE_GATEWAY_HOST: read.host.default('127.0.0.1'),
  SLUICE_GATEWAY_PORT: read.integer({ min: 0, max: 65_535, unit: 'port; 0 picks a free one' }).default(9_466),
  SLUICE_GATEWAY_TOKENS_FILE: read.text(1).optional(),
  SLUICE_GATEWAY_TLS_CERT_FILE: read.text(1).optional(),
  SLUICE_GATEWAY_TLS_KEY_FILE: read.text(1).optional(),
  SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: read.text(1).optional(),

  SLUICE_DATABASE_POOL_SIZE: read.integer({ min: 1, max: 1_000, unit: 'connections' }).default(4),
  SLUICE_DATABASE_CONNECT_TIMEOUT_MS: read.milliseconds(100, 600_000).default(5_000),
  SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: read.milliseconds(100, hourMs).default(30_000),
  SLUICE_PARTITION_BY: read.oneOf(partitionUnits).default('day'),
  SLUICE_PARTITION_DAYS_AHEAD: read.integer({ min: 1, max: 365, unit: 'days' }).default(7),

  SLUICE_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps forever' }).default(90),
  SLUICE_REQUEST_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps forever' }).default(90),
  SLUICE_DEAD_LETTER_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps forever' }).default(30),
  SLUICE_LEDGER_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps forever' }).default(30),
  SLUICE_ARCHIVE_DIR: read.text().optional(),

  SLUICE_WORKERS: read.integer({ min: 1, max: 64, unit: 'processes' }).default(2),
} satisfies Variables;

/** Variables that protect something. One that is empty is refused: without it, that would be open unnoticed. */
export const tokens = new Set<string>([
  ...producerTokens,
  'SLUICE_METRICS_TOKEN',
  'SLUICE_CONSOLE_READ_TOKEN',
  'SLUICE_CONSOLE_OPERATOR_TOKEN',
  'SLUICE_CONSOLE_REALM_TOKENS',
]);

/** Variables whose values are never printed. */
export const secrets = new Set<string>([...producerSecrets, 'DATABASE_URL', 'SLUICE_MIGRATE_DATABASE_URL', ...tokens]);

type Groups = ReturnType<typeof toGroups>;

/** A part of the configuration. */
export type ConfigGroup = keyof Groups;

/** The whole configuration, grouped by what it configures. Times are milliseconds, sizes are bytes. */
export type Config = ConfigOf<Groups>;

/** The groups, each of which reads its own variables only when it is asked for. */
export function toGroups(env: ValuesOf<typeof variables>) {
  return {
    ...toProducerGroups(env),
    logLevel: () => env.SLUICE_LOG_LEVEL,
    /** of Redis' maxmemory: above it nothing is added */
    memoryShare: () => env.SLUICE_REDIS_MEMORY_SHARE,
    /** over how many each queue is spread; workers find out by themselves */
    shards: () => env.SLUICE_QUEUE_SHARDS,
    worker: () => ({
      host: env.SLUICE_WORKER_HOST,
      port: env.SLUICE_WORKER_PORT,
      metricsToken: env.SLUICE_METRICS_TOKEN ?? null,
      concurrency: env.SLUICE_WORKER_CONCURRENCY,
      /** null: by the heap that V8 may take */
      maxBytes: env.SLUICE_WORKER_MAX_BYTES ?? null,
      lockDurationMs: env.SLUICE_LOCK_DURATION_MS,
      stalledIntervalMs: env.SLUICE_STALLED_INTERVAL_MS,
      jobDelayMs: env.SLUICE_JOB_DELAY_MS,
      failedJobsKept: env.SLUICE_FAILED_JOBS_KEPT,
      deadShare: { maxShare: env.SLUICE_DEAD_SHARE_MAX, minRecords: env.SLUICE_DEAD_SHARE_MIN_RECORDS },
      poisonJobMaxStarts: env.SLUICE_POISON_JOB_MAX_STARTS,
      stuckAfterMs: env.SLUICE_STUCK_AFTER_MS,
      shutdownTimeoutMs: env.SLUICE_SHUTDOWN_TIMEOUT_MS,
    }),
    batch: () => ({
      maxRecords: env.SLUICE_BATCH_MAX_RECORDS,
      maxBytes: env.SLUICE_BATCH_MAX_BYTES,
      maxWaitMs: env.SLUICE_BATCH_MAX_WAIT_MS,
      maxInFlight: env.SLUICE_BATCH_MAX_IN_FLIGHT,
    }),
    retry: () => ({ baseMs: env.SLUICE_RETRY_BASE_MS, maxMs: env.SLUICE_RETRY_MAX_MS }),
    health: () => ({
      /** `mirror` does what the original does, losses included */
      mode: env.HEALTH_EVENTS_MODE,
      stream: env.SLUICE_HEALTH_STREAM,
      lobbyStream: env.SLUICE_HEALTH_LOBBY_STREAM,
      /** names the consumer, in its offset and its lease */
      label: env.SLUICE_HEALTH_LABEL,
      /** whose offset in Redis is adopted */
      service: env.SLUICE_HEALTH_SERVICE,
      maxEntries: env.SLUICE_HEALTH_BATCH_MAX_ENTRIES,
      blockMs: env.SLUICE_HEALTH_BLOCK_MS,
      leaseMs: env.SLUICE_HEALTH_LEASE_MS,
      /** for how long the record of an unknown game may yet come */
      graceMs: env.SLUICE_HEALTH_GRACE_MS,
      badOffset: env.SLUICE_HEALTH_BAD_OFFSET,
    }),
    console: () => ({
      host: env.SLUICE_CONSOLE_HOST,
      port: env.SLUICE_CONSOLE_PORT,
      /** the path under which browsers find it, such as `/sluice`; '': at the root */
      basePath: env.SLUICE_CONSOLE_BASE_PATH,
      /** where browsers find it, such as `https://ops.example`; null: as the Host header says */
      origin: env.SLUICE_CONSOLE_ORIGIN ?? null,
      /** addresses and networks whose X-Forwarded-For and -Proto are trusted */
      trustedProxies: env.SLUICE_CONSOLE_TRUSTED_PROXIES,
      readToken: env.SLUICE_CONSOLE_READ_TOKEN ?? null,
      operatorToken: env.SLUICE_CONSOLE_OPERATOR_TOKEN ?? null,
      /** realms by name, each with the token that shows its executions and nothing else */
      realmTokens: env.SLUICE_CONSOLE_REALM_TOKENS ?? new Map<string, string>(),
      metricsToken: env.SLUICE_METRICS_TOKEN ?? null,
      shutdownTimeoutMs: env.SLUICE_SHUTDOWN_TIMEOUT_MS,
    }),
    gateway: () => ({
      host: env.SLUICE_GATEWAY_HOST,
      port: env.SLUICE_GATEWAY_PORT,
      /** path of the file that says who may send what; null: whoever reaches the port may send anything */
      tokensFile: env.SLUICE_GATEWAY_TOKENS_FILE ?? null,
      /** paths of PEM files; null: plain HTTP */
      tlsCertFile: env.SLUICE_GATEWAY_TLS_CERT_FILE ?? null,
      tlsKeyFile: env.SLUICE_GATEWAY_TLS_KEY_FILE ?? null,
      /** path of the PEM file with what signs the senders' certificates; null: none is asked for */
      tlsClientCaFile: env.SLUICE_GATEWAY_TLS_CLIENT_CA_FILE ?? null,
      metricsToken: env.SLUICE_METRICS_TOKEN ?? null,
      shutdownTimeoutMs: env.SLUICE_SHUTDOWN_TIMEOUT_MS,
    }),
    database: () => ({
      url: env.DATABASE_URL ?? null,
      poolSize: env.SLUICE_DATABASE_POOL_SIZE,
      connectTimeoutMs: env.SLUICE_DATABASE_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.SLUICE_DATABASE_STATEMENT_TIMEOUT_MS,
      partitionBy: env.SLUICE_PARTITION_BY,
      partitionDaysAhead: env.SLUICE_PARTITION_DAYS_AHEAD,
    }),
    /** what only those read who apply migrations: the role of a worker may do less */
    migrator: () => ({
      /** null: as `database.url` */
      url: env.SLUICE_MIGRATE_DATABASE_URL ?? null,
    }),
    retention: () => ({
      days: env.SLUICE_RETENTION_DAYS,
      requestDays: env.SLUICE_REQUEST_RETENTION_DAYS,
      deadLetterDays: env.SLUICE_DEAD_LETTER_RETENTION_DAYS,
      ledgerDays: env.SLUICE_LEDGER_RETENTION_DAYS,
      /** where executions are written before their partition is dropped; null: nowhere */
      archiveDir: env.SLUICE_ARCHIVE_DIR ?? null,
    }),
    fleet: () => ({ workers: env.SLUICE_WORKERS }),
  };
}
