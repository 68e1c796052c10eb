import { register } from 'prom-client';
import { loadProducerConfig, type ProducerSettings } from '../../shared/platform/config/producer-config.ts';
import { checkProducer, checkSizes } from '../core/check-settings.ts';
import { createProducerLogger } from '../core/logger.ts';
import { createPipelineParts, type ProducerOptions } from '../core/pipeline-parts.ts';
import { createProblemLog } from '../core/problem-log.ts';
import { createRedaction, type RedactOptions } from '../core/redact.ts';
import { type RedisOption, toRedisTarget } from '../core/redis-option.ts';
import { createExecutionMetrics } from './execution-metrics.ts';
import { checkObserverSettings, ExecutionObserver } from './execution-observer.ts';

/** Everything is optional. Without a Redis there are metrics only, and nothing is stored. */
export interface ExecutionObserverOptions extends ProducerOptions, RedisOption {
  /** enabled, sampling, trace, buffer, chunk, spill, memory and shards; see `.env.example` for the defaults */
  producer?: Partial<ProducerSettings>;
  /** rules for what leaves the process, see docs/redaction.md. @default none */
  redact?: RedactOptions | null;
}

/**
 * Creates an observer. Nothing connects until the first record is kept, or counted for a minute. While Redis is away, records wait in a buffer that is
 * bounded by number and by bytes.
 *
 * With `producer.spill.dir`, they wait on disk: once a send has failed twice or has had no answer for half a second, finished
 * chunks are written there and leave the buffer until Redis answers again. What earlier sessions left there is replayed; if
 * there is any, the observer connects at once.
 *
 * @throws RangeError when a setting is out of its range
 * @throws UsageError when a file for TLS or the redaction rules cannot be used
 */
export function createExecutionObserver(options: ExecutionObserverOptions = {}): ExecutionObserver {
  const defaults = loadProducerConfig({}, observerGroups);
  const producer = checkSettings({ ...defaults.producer, ...options.producer });
  const redaction = createRedaction(options.redact ?? {});
  const target = toRedisTarget(options);
  const registry = options.registry ?? register;
  const logger = createProducerLogger(options.logger, registry);
  const problems = createProblemLog(logger);
  if (target === null) logger.warn({}, 'no redisUrl is set: executions are counted in the metrics but not stored');
  const metrics = createExecutionMetrics(registry, () => observer.depth(), producer.metricsMaxSeries);
  const namespace = options.namespace ?? defaults.namespace;
  const { buffer } = producer;
  let observer: ExecutionObserver;
  try {
    observer = new ExecutionObserver({
      settings: producer,
      recordMaxBytes: producer.recordMaxBytes,
      metrics,
      pipeline:
        target === null
          ? null
          : createPipelineParts(options, producer, {
              target,
              queue,
              shardOf: null,
              holdsSuccessesBack: true,
              namespace,
              buffer,
              problems,
            }),
      problems,
      redaction,
      random: options.random ?? Math.random,
      now: options.now ?? Date.now,
    });
  } catch (error) {
    metrics.close();
    throw error;
  }
  return observer;
}

const queue = 'execution-log';

/** The groups of the configuration that it reads. */
const observerGroups = ['redis', 'namespace', 'producer', 'redact'] as const;

/** The fields that are never cut need at most so much. */
const minRecordBytes = 16_384;

function checkSettings(producer: ProducerSettings): ProducerSettings {
  checkProducer(producer);
  // Before anything is created that would have to be removed again.
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
 * Reads the options from an environment: `REDIS_URL` and the other `REDIS_*` variables, `DSL_EXECUTION_LOG_*` and the `SLUICE_*`
 * variables of producers. Ignores all others, which may be the host's own.
 *
 * @throws UsageError that lists all problems with these variables
 */
export function executionObserverOptionsFrom(environment: NodeJS.ProcessEnv): ExecutionObserverOptions {
  const config = loadProducerConfig(environment, observerGroups);
  return { redisUrl: config.redis.url, ...config };
}
