import { producerNamePattern } from '../../contracts/chunk.ts';
import { defaultNamespace, maxShards } from '../../contracts/queues.ts';
import { parseRedisSettings, type RedisSettings } from '../redis/redis-target.ts';
import { maxDatabase } from '../redis/redis-url.ts';
import { createConfigReader, type Rule, type ValuesOf } from './config-groups.ts';
import * as read from './environment.ts';

const kib = 1_024;
const mib = 1_024 * kib;

/** Where Redis is, see `RedisSettings`. */
export const redisEnvironment = {
  REDIS_URL: read.redisUrl.optional(),
  REDIS_SENTINEL_NODES: read.redisNodes.optional(),
  REDIS_SENTINEL_MASTER_NAME: read.text(1).optional(),
  REDIS_SENTINEL_USERNAME: read.text(1).optional(),
  REDIS_SENTINEL_PASSWORD: read.text(1).optional(),
  REDIS_CLUSTER_NODES: read.redisNodes.optional(),
  REDIS_CLUSTER_NAT_MAP: read.redisNatMap.optional(),
  REDIS_USERNAME: read.text(1).optional(),
  REDIS_PASSWORD: read.text(1).optional(),
  REDIS_DB: read.integer({ min: 0, max: maxDatabase }).optional(),
  REDIS_TLS: read.flag.default(false),
  REDIS_TLS_CA_FILE: read.text(1).optional(),
  REDIS_TLS_CERT_FILE: read.text(1).optional(),
  REDIS_TLS_KEY_FILE: read.text(1).optional(),
  REDIS_TLS_SERVERNAME: read.text(1).optional(),
};

/** The variables that a producer reads. Those that begin with `DSL_` have the names of the system that Sluice replaces. */
export const producerVariables = {
  SLUICE_NAMESPACE: read.matching(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, - or _').default(defaultNamespace),
  DSL_EXECUTION_LOG_ENABLED: read.flag.default(true),
  DSL_EXECUTION_LOG_SAMPLE_RATE: read.number({ min: 0, max: 1 }).default(0.05),
  DSL_EXECUTION_LOG_TRACE_LIMIT: read
    .integer({ min: -1_000_000, max: 1_000_000, unit: 'entries; 0 or less keeps all' })
    .default(200),
  DSL_EXECUTION_LOG_QUEUE_MAXSIZE: read.integer({ min: 1, max: 10_000_000, unit: 'records' }).default(10_000),
  SLUICE_PRODUCER_NAME: read.matching(producerNamePattern, '1 to 100 letters, digits, - or _').optional(),
  SLUICE_BUFFER_MAX_BYTES: read.integer({ min: 64 * kib, max: 4_096 * mib, unit: 'bytes' }).default(32 * mib),
  SLUICE_RECORD_MAX_BYTES: read.integer({ min: 16 * kib, max: 16 * mib, unit: 'bytes' }).default(64 * kib),
  SLUICE_CHUNK_MAX_RECORDS: read.integer({ min: 1, max: 10_000, unit: 'records' }).default(200),
  SLUICE_CHUNK_MAX_BYTES: read.integer({ min: 4 * kib, max: 16 * mib, unit: 'bytes' }).default(512 * kib),
  SLUICE_CHUNK_MAX_WAIT_MS: read.milliseconds(0, 60_000).default(20),
  SLUICE_METRICS_MAX_SERIES: read.integer({ min: 10, max: 1_000_000, unit: 'series' }).default(1_000),
  SLUICE_SPILL_DIR: read.text().optional(),
  SLUICE_SPILL_MAX_BYTES: read.integer({ min: mib, max: 1_048_576 * mib, unit: 'bytes' }).default(1_024 * mib),
  SLUICE_SPILL_FSYNC_MS: read.milliseconds(0, 60_000).default(500),
  SLUICE_REDIS_MEMORY_SHARE: read.number({ min: 0.1, max: 1 }).default(0.8),
  SLUICE_QUEUE_SHARDS: read.integer({ min: 1, max: maxShards, unit: 'shards' }).default(1),
  SLUICE_REQUEST_BUFFER_MAX_RECORDS: read.integer({ min: 1, max: 10_000_000, unit: 'records' }).default(10_000),
  SLUICE_REQUEST_BUFFER_MAX_BYTES: read.integer({ min: 64 * kib, max: 4_096 * mib, unit: 'bytes' }).default(64 * mib),
  SLUICE_MAX_BODY_BYTES: read.integer({ min: kib, max: 64 * mib, unit: 'bytes' }).default(mib),
  SLUICE_API_KEY_PEPPER: read.text(16).optional(),
  SLUICE_REDACT_FILE: read.text(1).optional(),
  SLUICE_REDACT_KEY: read.text(16).optional(),
};

/** What all producers have. */
export interface SendingSettings {
  /** in job ids; null: made from the host's name */
  name: string | null;
  /** a chunk is sent when it has so many records or bytes, or its first record has waited for so many ms */
  chunk: { maxRecords: number; maxBytes: number; maxWaitMs: number };
  /** where records go while Redis is away; `dir` null: they wait in memory */
  spill: { dir: string | null; maxBytes: number; fsyncMs: number };
  /** of Redis' maxmemory, above 0 and at most 1: above it nothing is added, above 7/8 of it no ok runs; 1: only Redis itself refuses */
  memoryShare: number;
  /** over how many BullMQ queues the chunks of a queue are spread, from 1 to 256 */
  shards: number;
}

/** What an observer of executions has. */
export interface ProducerSettings extends SendingSettings {
  enabled: boolean;
  /** of ok runs, from 0 to 1 */
  sampleRate: number;
  /** entries; 0 or less keeps all */
  traceLimit: number;
  recordMaxBytes: number;
  /** sets of labels of one metric */
  metricsMaxSeries: number;
  /** the memory for records that are not sent yet */
  buffer: { maxRecords: number; maxBytes: number };
}

/** What a sender of completed requests has. */
export interface RequestSettings {
  /** the memory for requests that are not sent yet */
  buffer: { maxRecords: number; maxBytes: number };
  /** of each of the two bodies; what is longer is cut */
  maxBodyBytes: number;
  /** a secret of at least 16 characters that API keys are hashed with; null: they are not stored */
  apiKeyPepper: string | null;
}

/** What is taken out of records before they leave the process. */
export interface RedactSettings {
  /** path of a file of rules; null: none */
  file: string | null;
  /** a secret of at least 16 characters that values are hashed with; null: no rule may hash */
  key: string | null;
}

const allVariables = { ...redisEnvironment, ...producerVariables };

/** The groups, each of which reads its own variables only when it is asked for. */
export function toProducerGroups(env: ValuesOf<typeof allVariables>) {
  const sending = (): SendingSettings => ({
    name: env.SLUICE_PRODUCER_NAME ?? null,
    chunk: {
      maxRecords: env.SLUICE_CHUNK_MAX_RECORDS,
      maxBytes: env.SLUICE_CHUNK_MAX_BYTES,
      maxWaitMs: env.SLUICE_CHUNK_MAX_WAIT_MS,
    },
    spill: {
      dir: env.SLUICE_SPILL_DIR ?? null,
      maxBytes: env.SLUICE_SPILL_MAX_BYTES,
      fsyncMs: env.SLUICE_SPILL_FSYNC_MS,
    },
    memoryShare: env.SLUICE_REDIS_MEMORY_SHARE,
    shards: env.SLUICE_QUEUE_SHARDS,
  });
  return {
    namespace: () => env.SLUICE_NAMESPACE,
    redis: (): RedisSettings => ({
      url: env.REDIS_URL ?? null,
      sentinelNodes: env.REDIS_SENTINEL_NODES ?? null,
      sentinelMasterName: env.REDIS_SENTINEL_MASTER_NAME ?? null,
      sentinelUsername: env.REDIS_SENTINEL_USERNAME ?? null,
      sentinelPassword: env.REDIS_SENTINEL_PASSWORD ?? null,
      clusterNodes: env.REDIS_CLUSTER_NODES ?? null,
      clusterNatMap: env.REDIS_CLUSTER_NAT_MAP ?? null,
      username: env.REDIS_USERNAME ?? null,
      password: env.REDIS_PASSWORD ?? null,
      db: env.REDIS_DB ?? null,
      tls: env.REDIS_TLS,
      tlsCaFile: env.REDIS_TLS_CA_FILE ?? null,
      tlsCertFile: env.REDIS_TLS_CERT_FILE ?? null,
      tlsKeyFile: env.REDIS_TLS_KEY_FILE ?? null,
      tlsServername: env.REDIS_TLS_SERVERNAME ?? null,
    }),
    sending,
    producer: (): ProducerSettings => ({
      ...sending(),
      enabled: env.DSL_EXECUTION_LOG_ENABLED,
      sampleRate: env.DSL_EXECUTION_LOG_SAMPLE_RATE,
      traceLimit: env.DSL_EXECUTION_LOG_TRACE_LIMIT,
      recordMaxBytes: env.SLUICE_RECORD_MAX_BYTES,
      metricsMaxSeries: env.SLUICE_METRICS_MAX_SERIES,
      buffer: { maxRecords: env.DSL_EXECUTION_LOG_QUEUE_MAXSIZE, maxBytes: env.SLUICE_BUFFER_MAX_BYTES },
    }),
    requests: (): RequestSettings => ({
      buffer: { maxRecords: env.SLUICE_REQUEST_BUFFER_MAX_RECORDS, maxBytes: env.SLUICE_REQUEST_BUFFER_MAX_BYTES },
      maxBodyBytes: env.SLUICE_MAX_BODY_BYTES,
      apiKeyPepper: env.SLUICE_API_KEY_PEPPER ?? null,
    }),
    redact: (): RedactSettings => ({ file: env.SLUICE_REDACT_FILE ?? null, key: env.SLUICE_REDACT_KEY ?? null }),
  };
}

export const producerRules: readonly Rule<{
  redis: RedisSettings;
  producer: ProducerSettings;
  requests: RequestSettings;
}>[] = [
  {
    groups: ['redis'],
    problem: ({ redis }) => {
      const parsed = parseRedisSettings(redis);
      return 'problems' in parsed && parsed.problems;
    },
  },
  {
    groups: ['producer'],
    problem: ({ producer }) =>
      producer.recordMaxBytes > producer.buffer.maxBytes &&
      `SLUICE_RECORD_MAX_BYTES: ${producer.recordMaxBytes} must not exceed SLUICE_BUFFER_MAX_BYTES (${producer.buffer.maxBytes})`,
  },
  {
    groups: ['requests'],
    problem: ({ requests }) =>
      // A body of bytes grows by a third when it becomes text, and a record has two.
      requests.maxBodyBytes * 3 > requests.buffer.maxBytes &&
      `SLUICE_MAX_BODY_BYTES: ${requests.maxBodyBytes} must be at most a third of SLUICE_REQUEST_BUFFER_MAX_BYTES (${requests.buffer.maxBytes}), which holds both bodies of a request`,
  },
];

/** Variables of producers that protect something. */
export const producerTokens = ['SLUICE_API_KEY_PEPPER', 'SLUICE_REDACT_KEY'];

/** Variables of producers whose values are never printed. */
export const producerSecrets = ['REDIS_URL', 'REDIS_PASSWORD', 'REDIS_SENTINEL_PASSWORD', ...producerTokens];

const reader = createConfigReader({
  variables: allVariables,
  secrets: new Set(producerSecrets),
  tokens: new Set(producerTokens),
  toGroups: toProducerGroups,
  rules: producerRules,
});

/** As `loadConfig`, for a process in which there is nothing of Sluice but a producer. @throws UsageError that lists every problem */
export const loadProducerConfig = reader.load;
