import { pino } from 'pino';
import { type Registry, register } from 'prom-client';
import { type Config, loadConfig } from '../shared/config.ts';
import { producerNamePattern } from '../shared/contracts/chunk.ts';
import { createRedis } from '../shared/redis.ts';
import { createChunkSender } from './chunk-sender.ts';
import { createChunker, createProducerName } from './chunker.ts';
import { ExecutionObserver } from './execution-observer.ts';
import { createProducerMetrics } from './metrics.ts';
import { createProblemLog, type ProducerLogger } from './problem-log.ts';
import { RecordBuffer } from './record-buffer.ts';
import { createSpillSide } from './spill/create-spill-side.ts';
import { createBullmqTransport } from './transport.ts';

/** Everything is optional: what is not given comes from the configuration's defaults. */
export interface ExecutionObserverOptions {
  /** `redis://…` or `rediss://…`; null or absent: metrics only, nothing is stored */
  redisUrl?: string | null;
  /** keeps fleets apart on one Redis. @default 'sluice' */
  namespace?: string;
  /** enabled, sampling, trace, buffer, chunk and spill settings; see `.env.example` for each default */
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
 * With `producer.spill.dir` they wait on disk: once a send has failed twice, or has had no answer for half a second,
 * finished chunks are written there and leave the buffer, until Redis answers again. What former lives left there is
 * replayed, which connects at once when there is any.
 *
 * @throws RangeError when a setting is out of its range
 */
export function createExecutionObserver(options: ExecutionObserverOptions = {}): ExecutionObserver {
  const defaults = loadConfig({});
  const producer = checkSizes({ ...defaults.producer, ...options.producer });
  const random = options.random ?? Math.random;
  const now = options.now ?? Date.now;
  const logger = options.logger ?? pino({ name: 'sluice-producer', level: 'warn' }, pino.destination(2));
  const problems = createProblemLog(logger);
  if (!options.redisUrl) logger.warn({}, 'no redisUrl is given: executions are counted in the metrics and not stored');
  const registry = options.registry ?? register;
  const metrics = createProducerMetrics(registry, () => observer.depth());

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
    const namespace = options.namespace ?? defaults.namespace;
    const queue = 'execution-log';
    const buffer = new RecordBuffer(producer.buffer);
    const sender = createChunkSender({
      buffer,
      chunker: createChunker(buffer, producer.chunk, identity),
      transport: createBullmqTransport({
        redis: createRedis(redisUrl, { role: 'producer', name: `sluice:${identity.producer}`, logger: null }),
        queue,
        namespace,
      }),
      maxWaitMs: producer.chunk.maxWaitMs,
      random,
      onSent: (records) => observer.acknowledge(records),
      onFailure: (error) => {
        metrics.sendFailed();
        problems.report('send_failed', error);
      },
      spill: createSpill(),
    });
    return { buffer, sender };

    function createSpill() {
      const { dir, ...bounds } = producer.spill;
      if (dir === null) return null;
      return createSpillSide({
        settings: { dir, ...bounds },
        namespace,
        queue,
        life: `${identity.producer}-${identity.epoch}`,
        observer: () => observer,
        registry,
        problems,
        // Not the clock of the records: other processes compare the times of files with theirs.
        now: Date.now,
        onFound: () => sender.replay(),
      });
    }
  }
}

/** The fields that are never cut away need so much at most. */
const minRecordBytes = 16_384;

/** Every size must be a positive number, and a name must fit into job ids; the others are checked by the observer. */
function checkSizes(producer: Config['producer']): Config['producer'] {
  const sizes = {
    recordMaxBytes: producer.recordMaxBytes,
    'buffer.maxRecords': producer.buffer.maxRecords,
    'buffer.maxBytes': producer.buffer.maxBytes,
    'chunk.maxRecords': producer.chunk.maxRecords,
    'chunk.maxBytes': producer.chunk.maxBytes,
    'spill.maxBytes': producer.spill.maxBytes,
  };
  for (const [name, value] of Object.entries(sizes)) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new RangeError(`producer.${name} is ${value}; accepted: a whole number of at least 1`);
  }
  if (producer.recordMaxBytes < minRecordBytes)
    throw new RangeError(`producer.recordMaxBytes is ${producer.recordMaxBytes}; accepted: at least ${minRecordBytes}`);
  const { maxWaitMs } = producer.chunk;
  if (!(maxWaitMs >= 0 && maxWaitMs <= 60_000))
    throw new RangeError(`producer.chunk.maxWaitMs is ${maxWaitMs}; accepted: 0 to 60000 milliseconds`);
  const { dir, fsyncMs } = producer.spill;
  if (!(dir === null || (typeof dir === 'string' && dir !== '')))
    throw new RangeError(`producer.spill.dir is ${JSON.stringify(dir)}; accepted: the path of a directory, or null`);
  if (!(fsyncMs >= 0 && fsyncMs <= 60_000))
    throw new RangeError(`producer.spill.fsyncMs is ${fsyncMs}; accepted: 0 to 60000 milliseconds`);
  if (producer.recordMaxBytes > producer.buffer.maxBytes)
    throw new RangeError('producer.recordMaxBytes must not be above producer.buffer.maxBytes');
  if (producer.name !== null && !producerNamePattern.test(producer.name)) {
    throw new RangeError(
      `producer.name is ${JSON.stringify(producer.name)}; accepted: 1 to 100 letters, digits, - or _`,
    );
  }
  return producer;
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
