import { z } from 'zod';
import { producerNamePattern } from './contracts/chunk.ts';
import { healthStream } from './contracts/health-event.ts';
import { lobbyStream } from './contracts/lobby-event.ts';
import { defaultNamespace } from './contracts/queues.ts';
import { parseDatabaseUrl } from './database-url.ts';
import * as read from './environment.ts';
import { UsageError } from './errors.ts';
import { isLoopback } from './loopback.ts';
import { partitionUnits } from './partition-spans.ts';
import { isServiceAddress } from './service-links.ts';
import { bearerToken, realmTokens } from './tokens.ts';

const kib = 1_024;
const mib = 1_024 * kib;

const hourMs = 3_600_000;
const milliseconds = (min: number, max: number) => read.integer({ min, max, unit: 'milliseconds' });

const streamName = read.matching(/^[^\s\p{Cc}]{1,200}$/u, '1 to 200 characters without white space');

/**
 * Every environment variable that Sluice reads. Names that begin with `DSL_` are those of the system that it replaces.
 * `.env.example` explains each; a test holds the two together.
 */
const variables = z.object({
  DATABASE_URL: read.databaseUrl.optional(),
  SLUICE_MIGRATE_DATABASE_URL: read.databaseUrl.optional(),
  REDIS_URL: read.redisUrl.optional(),
  SLUICE_NAMESPACE: read.matching(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, - or _').default(defaultNamespace),
  SLUICE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),

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
  SLUICE_CHUNK_MAX_BYTES: read.integer({ min: 4 * kib, max: 16 * mib, unit: 'bytes' }).default(256 * kib),
  SLUICE_CHUNK_MAX_WAIT_MS: milliseconds(0, 60_000).default(20),
  SLUICE_METRICS_MAX_SERIES: read.integer({ min: 10, max: 1_000_000, unit: 'series' }).default(1_000),
  SLUICE_SPILL_DIR: z.string().optional(),
  SLUICE_SPILL_MAX_BYTES: read.integer({ min: mib, max: 1_048_576 * mib, unit: 'bytes' }).default(1_024 * mib),
  SLUICE_SPILL_FSYNC_MS: milliseconds(0, 60_000).default(500),
  SLUICE_REDIS_MEMORY_SHARE: read.number({ min: 0.1, max: 1 }).default(0.8),
  SLUICE_REQUEST_BUFFER_MAX_RECORDS: read.integer({ min: 1, max: 10_000_000, unit: 'records' }).default(10_000),
  SLUICE_REQUEST_BUFFER_MAX_BYTES: read.integer({ min: 64 * kib, max: 4_096 * mib, unit: 'bytes' }).default(64 * mib),
  SLUICE_MAX_BODY_BYTES: read.integer({ min: kib, max: 64 * mib, unit: 'bytes' }).default(mib),
  SLUICE_API_KEY_PEPPER: z.string().min(16, 'at least 16 characters').optional(),

  SLUICE_WORKER_CONCURRENCY: read.integer({ min: 1, max: 10_000, unit: 'jobs' }).default(100),
  SLUICE_WORKER_MAX_BYTES: read.integer({ min: 1 * mib, max: 16_384 * mib, unit: 'bytes' }).optional(),
  SLUICE_WORKER_HOST: z.string().default('127.0.0.1'),
  SLUICE_WORKER_PORT: read.integer({ min: 0, max: 65_535, unit: 'port; 0 takes a free one' }).default(9_465),
  SLUICE_METRICS_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  SLUICE_LOCK_DURATION_MS: milliseconds(1_000, hourMs).default(15_000),
  SLUICE_STALLED_INTERVAL_MS: milliseconds(500, hourMs).default(5_000),
  SLUICE_PARK_MS: milliseconds(100, hourMs).default(30_000),
  SLUICE_FAILED_JOBS_KEPT: read.integer({ min: 1, max: 10_000_000, unit: 'jobs' }).default(10_000),
  SLUICE_DEAD_SHARE_MAX: read.number({ min: 0.001, max: 1 }).default(0.5),
  SLUICE_DEAD_SHARE_MIN_RECORDS: read.integer({ min: 1, max: 10_000_000, unit: 'records' }).default(1_000),
  SLUICE_SUSPECT_MAX_STARTS: read.integer({ min: 1, max: 1_000, unit: 'starts' }).default(5),
  SLUICE_STUCK_AFTER_MS: milliseconds(1_000, 24 * hourMs).default(120_000),
  SLUICE_SHUTDOWN_TIMEOUT_MS: milliseconds(0, hourMs).default(25_000),

  SLUICE_BATCH_MAX_RECORDS: read.integer({ min: 1, max: 100_000, unit: 'records' }).default(1_000),
  SLUICE_BATCH_MAX_BYTES: read.integer({ min: 4 * kib, max: 256 * mib, unit: 'bytes' }).default(4 * mib),
  SLUICE_BATCH_MAX_WAIT_MS: milliseconds(0, 60_000).default(10),
  SLUICE_BATCH_MAX_IN_FLIGHT: read.integer({ min: 1, max: 64, unit: 'statements' }).default(2),
  SLUICE_RETRY_BASE_MS: milliseconds(1, 60_000).default(100),
  SLUICE_RETRY_MAX_MS: milliseconds(1, hourMs).default(5_000),

  HEALTH_EVENTS_MODE: z.enum(['hardened', 'mirror']).default('hardened'),
  SLUICE_HEALTH_STREAM: streamName.default(healthStream),
  SLUICE_HEALTH_LOBBY_STREAM: streamName.default(lobbyStream),
  SLUICE_HEALTH_LABEL: streamName.default('health_events'),
  SLUICE_HEALTH_SERVICE: read.matching(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, ., - or _').default('gamemaster'),
  SLUICE_HEALTH_BATCH_MAX_ENTRIES: read.integer({ min: 1, max: 1_000, unit: 'entries' }).default(500),
  SLUICE_HEALTH_BLOCK_MS: milliseconds(1, 10_000).default(2_000),
  SLUICE_HEALTH_LEASE_MS: milliseconds(500, hourMs).default(10_000),
  SLUICE_HEALTH_GRACE_MS: milliseconds(0, 600_000).default(5_000),
  SLUICE_HEALTH_BAD_OFFSET: z.enum(['fail', 'earliest', 'latest']).default('fail'),

  SLUICE_CONSOLE_HOST: z.string().default('127.0.0.1'),
  SLUICE_CONSOLE_PORT: read.integer({ min: 0, max: 65_535, unit: 'port; 0 takes a free one' }).default(9_464),
  SLUICE_CONSOLE_READ_TOKEN: bearerToken.optional(),
  SLUICE_CONSOLE_OPERATOR_TOKEN: bearerToken.optional(),
  SLUICE_CONSOLE_REALM_TOKENS: realmTokens.optional(),

  SLUICE_DATABASE_POOL_SIZE: read.integer({ min: 1, max: 1_000, unit: 'connections' }).default(4),
  SLUICE_DATABASE_CONNECT_TIMEOUT_MS: milliseconds(100, 600_000).default(5_000),
  SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: milliseconds(100, hourMs).default(30_000),
  SLUICE_PARTITION_BY: z.enum(partitionUnits).default('day'),
  SLUICE_PARTITION_DAYS_AHEAD: read.integer({ min: 1, max: 365, unit: 'days' }).default(7),

  SLUICE_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps for ever' }).default(90),
  SLUICE_REQUEST_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps for ever' }).default(90),
  SLUICE_DEAD_LETTER_RETENTION_DAYS: read.integer({ min: 0, max: 3_650, unit: 'days; 0 keeps for ever' }).default(30),
  SLUICE_ARCHIVE_DIR: z.string().optional(),

  SLUICE_WORKERS: read.integer({ min: 1, max: 64, unit: 'processes' }).default(2),
});

/** Variables that protect something. One that is empty is refused: without it, that would be open unnoticed. */
const tokens = new Set<string>([
  'SLUICE_METRICS_TOKEN',
  'SLUICE_API_KEY_PEPPER',
  'SLUICE_CONSOLE_READ_TOKEN',
  'SLUICE_CONSOLE_OPERATOR_TOKEN',
  'SLUICE_CONSOLE_REALM_TOKENS',
]);

/** Variables whose values are never printed. */
const secrets = new Set<string>(['DATABASE_URL', 'SLUICE_MIGRATE_DATABASE_URL', 'REDIS_URL', ...tokens]);

/** The names of all variables, in the order in which `.env.example` lists them. */
export const variableNames: readonly string[] = Object.keys(variables.shape);

type Values = z.output<typeof variables>;
type Groups = ReturnType<typeof toGroups>;

/** A part of the configuration. */
export type ConfigGroup = keyof Groups;

/** The whole configuration, grouped by what it configures. Times are milliseconds, sizes are bytes. */
export type Config = { [G in ConfigGroup]: ReturnType<Groups[G]> };

/**
 * Reads groups of the configuration from an environment, once per process. Variables of other groups are not looked at:
 * they are another process's. An empty value counts as none, but for tokens and the pepper.
 *
 * @param groups those that the process works with. @default all
 * @throws UsageError that lists every problem at once: the variable, what was given (never a secret), what is accepted
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config;
export function loadConfig<G extends ConfigGroup>(
  environment: NodeJS.ProcessEnv,
  groups: readonly G[],
): Pick<Config, G>;
export function loadConfig(environment: NodeJS.ProcessEnv, groups: readonly ConfigGroup[] = configGroups) {
  const { config, problems } = readConfig(environment, groups);
  if (problems.length === 0) return config;
  throw new UsageError(
    `the configuration has ${count(problems.length, 'problem')}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  );
}

/** As `loadConfig`, for those who go on all the same: a variable that has a problem has its default. */
export function readConfig<G extends ConfigGroup>(
  environment: NodeJS.ProcessEnv,
  groups: readonly G[],
): { config: Pick<Config, G>; problems: string[] } {
  const problemOf = new Map<string, string>();
  const all = toGroups(readVariables(environment, problemOf));
  const config = Object.fromEntries(groups.map((group) => [group, all[group]()])) as Pick<Config, G>;
  const problems = variableNames.flatMap((name) => problemOf.get(name) ?? []);
  return { config, problems: problems.length > 0 ? problems : crossFieldProblems(config) };
}

/** Each variable is read when a group asks for it, so that only those of the groups that are wanted are looked at. */
function readVariables(environment: NodeJS.ProcessEnv, problemOf: Map<string, string>): Values {
  const read = (name: keyof Values): unknown => {
    const schema = variables.shape[name];
    const given = givenTo(environment, name);
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    if (issue !== undefined) problemOf.set(name, describe(name, given, issue));
    return schema.parse(undefined);
  };
  const getters = variables.keyof().options.map((name) => [name, { get: () => read(name) }]);
  return Object.defineProperties({}, Object.fromEntries(getters)) as Values;
}

/** What a variable is set to. Undefined: nothing that is meant for us. */
function givenTo(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name];
  // A token that is empty was meant to protect something.
  if (value === '' && !tokens.has(name)) return undefined;
  return value !== undefined && isServiceAddress(name, value) ? undefined : value;
}

/** @throws UsageError that names the variable, when a connection URL is missing */
export function requireUrl(value: string | null, name: 'DATABASE_URL' | 'REDIS_URL'): string {
  if (value !== null) return value;
  throw new UsageError(`${name} is not set. Set it, or use npm start, which brings servers of its own.`);
}

/** The groups, each of which reads its own variables only when it is asked for. */
function toGroups(env: Values) {
  /** what all producers have */
  const sending = () => ({
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
  });
  return {
    namespace: () => env.SLUICE_NAMESPACE,
    logLevel: () => env.SLUICE_LOG_LEVEL,
    redisUrl: () => env.REDIS_URL ?? null,
    /** of Redis' maxmemory: above it nothing is added */
    memoryShare: () => env.SLUICE_REDIS_MEMORY_SHARE,
    sending,
    producer: () => ({
      ...sending(),
      enabled: env.DSL_EXECUTION_LOG_ENABLED,
      sampleRate: env.DSL_EXECUTION_LOG_SAMPLE_RATE,
      traceLimit: env.DSL_EXECUTION_LOG_TRACE_LIMIT,
      recordMaxBytes: env.SLUICE_RECORD_MAX_BYTES,
      /** sets of labels of one metric */
      metricsMaxSeries: env.SLUICE_METRICS_MAX_SERIES,
      buffer: { maxRecords: env.DSL_EXECUTION_LOG_QUEUE_MAXSIZE, maxBytes: env.SLUICE_BUFFER_MAX_BYTES },
    }),
    requests: () => ({
      buffer: { maxRecords: env.SLUICE_REQUEST_BUFFER_MAX_RECORDS, maxBytes: env.SLUICE_REQUEST_BUFFER_MAX_BYTES },
      maxBodyBytes: env.SLUICE_MAX_BODY_BYTES,
      apiKeyPepper: env.SLUICE_API_KEY_PEPPER ?? null,
    }),
    worker: () => ({
      host: env.SLUICE_WORKER_HOST,
      port: env.SLUICE_WORKER_PORT,
      metricsToken: env.SLUICE_METRICS_TOKEN ?? null,
      concurrency: env.SLUICE_WORKER_CONCURRENCY,
      /** null: by the heap that V8 may take */
      maxBytes: env.SLUICE_WORKER_MAX_BYTES ?? null,
      lockDurationMs: env.SLUICE_LOCK_DURATION_MS,
      stalledIntervalMs: env.SLUICE_STALLED_INTERVAL_MS,
      parkMs: env.SLUICE_PARK_MS,
      failedJobsKept: env.SLUICE_FAILED_JOBS_KEPT,
      deadShare: { maxShare: env.SLUICE_DEAD_SHARE_MAX, minRecords: env.SLUICE_DEAD_SHARE_MIN_RECORDS },
      suspectMaxStarts: env.SLUICE_SUSPECT_MAX_STARTS,
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
      readToken: env.SLUICE_CONSOLE_READ_TOKEN ?? null,
      operatorToken: env.SLUICE_CONSOLE_OPERATOR_TOKEN ?? null,
      /** realms by name, each with the token that shows its executions and nothing else */
      realmTokens: env.SLUICE_CONSOLE_REALM_TOKENS ?? new Map<string, string>(),
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
      /** where executions are written before their partition is dropped; null: nowhere */
      archiveDir: env.SLUICE_ARCHIVE_DIR ?? null,
    }),
    fleet: () => ({ workers: env.SLUICE_WORKERS }),
  };
}

/** All there are. */
export const configGroups = Object.keys(toGroups(readVariables({}, new Map()))) as ConfigGroup[];

/** The names of the variables that groups read. */
export function variablesOf(groups: readonly ConfigGroup[]): string[] {
  const read = new Set<string>();
  const getters = variableNames.map((name) => [name, { get: () => void read.add(name) }]);
  readConfig(Object.defineProperties({}, Object.fromEntries(getters)), groups);
  return variableNames.filter((name) => read.has(name));
}

/** Holds two variables together, or more. It is asked where the groups of all of them are read. */
interface Rule {
  groups: readonly ConfigGroup[];
  /** what is wrong; false: nothing */
  problem(config: Config): string | false;
}

function rule<G extends ConfigGroup>(groups: readonly G[], problem: (config: Pick<Config, G>) => string | false): Rule {
  return { groups, problem };
}

const rules: readonly Rule[] = [
  rule(
    ['console'],
    ({ console }) =>
      tokensOf(console).length === 0 &&
      !isLoopback(console.host) &&
      `SLUICE_CONSOLE_HOST: ${JSON.stringify(console.host)} can be reached from other machines; also set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN, or use 127.0.0.1`,
  ),
  rule(
    ['console'],
    ({ console }) =>
      new Set(tokensOf(console)).size < tokensOf(console).length &&
      'SLUICE_CONSOLE_READ_TOKEN, SLUICE_CONSOLE_OPERATOR_TOKEN, SLUICE_CONSOLE_REALM_TOKENS: two of the tokens are the same; each must tell what its bearer may do',
  ),
  rule(
    ['worker'],
    ({ worker }) =>
      worker.metricsToken === null &&
      !isLoopback(worker.host) &&
      `SLUICE_WORKER_HOST: ${JSON.stringify(worker.host)} can be reached from other machines; also set SLUICE_METRICS_TOKEN, or use 127.0.0.1`,
  ),
  rule(
    ['database', 'migrator'],
    ({ database, migrator }) =>
      database.url !== null &&
      migrator.url !== null &&
      parseDatabaseUrl(database.url).schema !== parseDatabaseUrl(migrator.url).schema &&
      'SLUICE_MIGRATE_DATABASE_URL: it names another schema than DATABASE_URL; give both the same ?schema=',
  ),
  rule(
    ['batch', 'database'],
    ({ batch, database }) =>
      batch.maxInFlight > database.poolSize &&
      `SLUICE_BATCH_MAX_IN_FLIGHT: ${batch.maxInFlight} statements at once need as many connections; raise SLUICE_DATABASE_POOL_SIZE (${database.poolSize})`,
  ),
  rule(
    ['batch', 'worker'],
    ({ batch, worker }) =>
      batch.maxWaitMs * 2 > worker.lockDurationMs &&
      `SLUICE_BATCH_MAX_WAIT_MS: ${batch.maxWaitMs} must be at most half of SLUICE_LOCK_DURATION_MS (${worker.lockDurationMs}), or jobs stall while they wait`,
  ),
  rule(
    ['database', 'worker'],
    ({ database, worker }) =>
      worker.stuckAfterMs < database.statementTimeoutMs * 2 &&
      `SLUICE_STUCK_AFTER_MS: ${worker.stuckAfterMs} must be at least twice SLUICE_DATABASE_STATEMENT_TIMEOUT_MS (${database.statementTimeoutMs}), or a slow statement looks like a stuck worker`,
  ),
  rule(
    ['retry'],
    ({ retry }) =>
      retry.baseMs > retry.maxMs &&
      `SLUICE_RETRY_BASE_MS: ${retry.baseMs} must not be above SLUICE_RETRY_MAX_MS (${retry.maxMs})`,
  ),
  rule(
    ['producer'],
    ({ producer }) =>
      producer.recordMaxBytes > producer.buffer.maxBytes &&
      `SLUICE_RECORD_MAX_BYTES: ${producer.recordMaxBytes} must not be above SLUICE_BUFFER_MAX_BYTES (${producer.buffer.maxBytes})`,
  ),
  rule(
    ['requests'],
    ({ requests }) =>
      // A body of bytes grows by a third when it becomes text, and a record has two.
      requests.maxBodyBytes * 3 > requests.buffer.maxBytes &&
      `SLUICE_MAX_BODY_BYTES: ${requests.maxBodyBytes} must be at most a third of SLUICE_REQUEST_BUFFER_MAX_BYTES (${requests.buffer.maxBytes}), which holds both bodies of a request`,
  ),
];

function crossFieldProblems(config: Partial<Config>): string[] {
  return rules.flatMap(({ groups, problem }) => {
    const isRead = groups.every((group) => config[group] !== undefined);
    return (isRead && problem(config as Config)) || [];
  });
}

function tokensOf({ readToken, operatorToken, realmTokens }: Config['console']): string[] {
  return [readToken, operatorToken, ...realmTokens.values()].filter((token) => token !== null);
}

function describe(name: string, value: string | undefined, issue: z.core.$ZodIssue): string {
  const shown =
    value === '' ? 'is empty' : secrets.has(name) ? 'has a value that is not shown here' : `is ${quote(value)}`;
  return `${name} ${shown}; accepted: ${acceptedBy(issue)}`;
}

function acceptedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  return issue.message;
}

function quote(value: string | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
