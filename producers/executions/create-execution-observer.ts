import { type Registry, register } from 'prom-client';
import { loadProducerConfig, type ProducerSettings } from '../../shared/platform/config/producer-config.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { checkProducer, checkSizes } from '../core/check-settings.ts';
import { createIdentity, createPipeline, type Pipeline } from '../core/create-pipeline.ts';
import { createProducerLogger } from '../core/logger.ts';
import { createProblemLog, type ProducerLogger } from '../core/problem-log.ts';
import { createQueueTransport } from '../core/queue-transport.ts';
import { type RedisOption, toRedisTarget } from '../core/redis-option.ts';
import { createProducerMetrics } from './execution-metrics.ts';
import { checkObserverSettings, type ExecutionEntry, ExecutionObserver } from './execution-observer.ts';

/**
 * Everything is optional: what is not given comes from the configuration's defaults. Without a Redis there are metrics only,
 * and nothing is stored.
 */
export interface ExecutionObserverOptions extends RedisOption {
  /** keeps fleets apart on one Redis. @default 'sluice' */
  namespace?: string;
  /** enabled, sampling, trace, buffer, chunk, spill and memory settings; see `.env.example` for each default */
  producer?: Partial<ProducerSettings>;
  /** where the metrics are registered until `close`; several observers count into the same ones. @default prom-client's own */
  registry?: Registry;
  /** told of drops and failed sends, at most once a second for each kind. @default JSON lines to standard error */
  logger?: ProducerLogger;
  /** uniform in [0, 1). @default Math.random */
  random?: () => number;
  /** ms since 1970. @default Date.now */
  now?: () => number;
}

/**
 * Makes an observer. Nothing connects until the first record is kept; while Redis is away, records wait in a buffer that
 * is bounded by number and by bytes.
 *
 * With `producer.spill.dir` they wait on disk: once a send has failed twice, or has had no answer for half a second,
 * finished chunks are written there and leave the buffer, until Redis answers again. What former lives left there is
 * replayed, which connects at once when there is any.
 *
 * @throws RangeError when a setting is out of its range
 * @throws UsageError when a file for TLS cannot be used
 */
export function createExecutionObserver(options: ExecutionObserverOptions = {}): ExecutionObserver {
  const defaults = loadProducerConfig({}, observerGroups);
  const producer = checkSettings({ ...defaults.producer, ...options.producer });
  const target = toRedisTarget(options);
  const random = options.random ?? Math.random;
  const now = options.now ?? Date.now;
  const registry = options.registry ?? register;
  const logger = createProducerLogger(options.logger, registry);
  const problems = createProblemLog(logger);
  if (target === null) logger.warn({}, 'no redisUrl is set: executions are counted in the metrics but not stored');
  const metrics = createProducerMetrics(registry, () => observer.depth(), producer.metricsMaxSeries);
  let observer: ExecutionObserver;
  try {
    observer = new ExecutionObserver({
      settings: producer,
      recordMaxBytes: producer.recordMaxBytes,
      metrics,
      pipeline: target === null ? null : createQueuePipeline(target),
      problems,
      random,
      now,
    });
  } catch (error) {
    metrics.close();
    throw error;
  }
  return observer;

  function createQueuePipeline(to: RedisTarget): Pipeline<ExecutionEntry> {
    const identity = createIdentity(producer.name, now());
    const namespace = options.namespace ?? defaults.namespace;
    return createPipeline<ExecutionEntry>({
      queue,
      namespace,
      identity,
      transport: createQueueTransport({
        target: to,
        name: `sluice:${identity.producer}`,
        queue,
        namespace,
        memoryShare: producer.memoryShare,
      }),
      buffer: producer.buffer,
      settings: producer,
      accounts: () => observer,
      onFailure: () => metrics.sendFailed(),
      registry,
      problems,
      random,
    });
  }
}

const queue = 'execution-log';

/** What it reads of the configuration. */
const observerGroups = ['redis', 'namespace', 'producer'] as const;

/** The fields that are never cut away need so much at most. */
const minRecordBytes = 16_384;

/** Every size must be a positive number, and a name must fit into job ids. */
function checkSettings(producer: ProducerSettings): ProducerSettings {
  checkProducer(producer);
  // Before anything is made that would have to be taken back.
  checkObserverSettings(producer);
  checkSizes({
    'producer.metricsMaxSeries': producer.metricsMaxSeries,
    'producer.recordMaxBytes': producer.recordMaxBytes,
    'producer.buffer.maxRecords': producer.buffer.maxRecords,
    'producer.buffer.maxBytes': producer.buffer.maxBytes,
  });
  if (producer.recordMaxBytes < minRecordBytes)
    throw new RangeError(`producer.recordMaxBytes is ${producer.recordMaxBytes}; accepted: at least ${minRecordBytes}`);
  if (producer.recordMaxBytes > producer.buffer.maxBytes)
    throw new RangeError('producer.recordMaxBytes must not exceed producer.buffer.maxBytes');
  return producer;
}

/**
 * The options that an environment asks for: `REDIS_URL` and the other `REDIS_*` names, the kept `DSL_EXECUTION_LOG_*` names and the `SLUICE_*` ones of producers.
 * Others are not looked at: they may be the host's own.
 *
 * @throws UsageError that lists every problem of these variables at once
 */
export function executionObserverOptionsFrom(environment: NodeJS.ProcessEnv): ExecutionObserverOptions {
  const config = loadProducerConfig(environment, observerGroups);
  return { redisUrl: config.redis.url, ...config };
}
