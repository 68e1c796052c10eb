import { pino } from 'pino';
import { type Registry, register } from 'prom-client';
import { type Config, loadConfig } from '../shared/config.ts';
import { createRedis } from '../shared/redis.ts';
import { createChunkSender } from './chunk-sender.ts';
import { createChunker, createProducerName } from './chunker.ts';
import { ExecutionObserver } from './execution-observer.ts';
import { createProducerMetrics } from './metrics.ts';
import { createProblemLog, type ProducerLogger } from './problem-log.ts';
import { RecordBuffer } from './record-buffer.ts';
import { createBullmqTransport } from './transport.ts';

/** Everything is optional: what is not given comes from the configuration's defaults. */
export interface ExecutionObserverOptions {
  /** `redis://…` or `rediss://…`; null or absent: metrics only, nothing is stored */
  redisUrl?: string | null;
  /** keeps fleets apart on one Redis. @default 'sluice' */
  namespace?: string;
  /** enabled, sampling, trace, buffer and chunk settings; see `.env.example` for each default */
  producer?: Partial<Config['producer']>;
  /** where the metrics are registered, one observer for each. @default prom-client's own */
  registry?: Registry;
  /** told of drops and failed sends, at most once a second for each kind. @default pino, to standard error */
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
 * @throws RangeError when a setting is out of its range
 */
export function createExecutionObserver(options: ExecutionObserverOptions = {}): ExecutionObserver {
  const defaults = loadConfig({});
  const producer = { ...defaults.producer, ...options.producer };
  const random = options.random ?? Math.random;
  const now = options.now ?? Date.now;
  const logger = options.logger ?? pino({ name: 'sluice-producer', level: 'warn' }, pino.destination(2));
  const problems = createProblemLog(logger);
  const metrics = createProducerMetrics(options.registry ?? register, () => observer.depth());

  const observer: ExecutionObserver = new ExecutionObserver({
    settings: producer,
    recordMaxBytes: producer.recordMaxBytes,
    metrics,
    pipeline: options.redisUrl ? createPipeline(options.redisUrl) : null,
    problems,
    random,
    now,
  });
  return observer;

  function createPipeline(redisUrl: string) {
    const identity = { producer: producer.name ?? createProducerName(), epoch: now() };
    const buffer = new RecordBuffer(producer.buffer);
    const sender = createChunkSender({
      buffer,
      chunker: createChunker(buffer, producer.chunk, identity),
      transport: createBullmqTransport({
        redis: createRedis(redisUrl, { role: 'producer', name: `sluice:${identity.producer}`, logger: null }),
        queue: 'execution-log',
        namespace: options.namespace ?? defaults.namespace,
      }),
      maxWaitMs: producer.chunk.maxWaitMs,
      random,
      onSent: (records) => observer.acknowledge(records),
      onFailure: (error) => {
        metrics.sendFailed();
        problems.report('send_failed', error);
      },
    });
    return { buffer, sender };
  }
}

/**
 * The options that an environment asks for: `REDIS_URL`, the kept `DSL_EXECUTION_LOG_*` names and the `SLUICE_*` ones.
 *
 * @throws UsageError that lists every problem of the environment at once
 */
export function executionObserverOptionsFrom(environment: NodeJS.ProcessEnv): ExecutionObserverOptions {
  const { redisUrl, namespace, producer } = loadConfig(environment);
  return { redisUrl, namespace, producer };
}
