import { type Registry, register } from 'prom-client';
import {
  loadProducerConfig,
  type RequestSettings,
  type SendingSettings,
} from '../../shared/platform/config/producer-config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { checkProducer, checkSizes } from '../core/check-settings.ts';
import { createIdentity, createPipeline } from '../core/create-pipeline.ts';
import { createProducerLogger } from '../core/logger.ts';
import { createProblemLog, type ProducerLogger } from '../core/problem-log.ts';
import { createQueueTransport } from '../core/queue-transport.ts';
import { type RedisOption, toRedisTarget } from '../core/redis-option.ts';
import { createApiKeyHash } from './api-key-hash.ts';
import type { AwaitedEntry } from './arrivals.ts';
import { CompletedRequestSender } from './completed-request-sender.ts';
import { createRequestMetrics } from './request-metrics.ts';

/** All but where Redis is, `redisUrl` or `redis`, is optional: what is not given comes from the configuration's defaults. */
export interface CompletedRequestSenderOptions extends RedisOption {
  /** keeps fleets apart on one Redis. @default 'sluice' */
  namespace?: string;
  /** buffer, bound of a body and pepper; see `.env.example` for each default */
  requests?: Partial<RequestSettings>;
  /** name, chunk, spill and memory settings, the same as an observer's; see `.env.example` for each default */
  producer?: Partial<SendingSettings>;
  /** keys that are taken out of request bodies that are JSON objects, where they stand at the top. @default none */
  stripRequestKeys?: readonly string[];
  /** where the metrics are registered until `close`; several senders and observers may share it. @default prom-client's own */
  registry?: Registry;
  /** told of failed sends and drops, at most once a second for each kind. @default JSON lines to standard error */
  logger?: ProducerLogger;
  /** uniform in [0, 1). @default Math.random */
  random?: () => number;
  /** ms since 1970. @default Date.now */
  now?: () => number;
}

const queue = 'completed-request';

/** What it reads of the configuration. */
const senderGroups = ['redis', 'namespace', 'sending', 'requests'] as const;

/**
 * Makes a sender of completed requests. Nothing connects until the first record is accepted; while Redis is away, records
 * wait in a buffer that is bounded by number and by bytes, and then the sends themselves wait.
 *
 * With `producer.spill.dir` records go to disk while Redis is away, as an observer's do, into a directory of this queue.
 *
 * @throws UsageError without a `redisUrl` or a `redis`, or when a file for TLS cannot be used
 * @throws RangeError when a setting is out of its range
 */
export function createCompletedRequestSender(options: CompletedRequestSenderOptions): CompletedRequestSender {
  const target = toRedisTarget(options);
  if (target === null)
    throw new UsageError('REDIS_URL is not set. Set it, or give redisUrl: requests are not sent without it.');
  const defaults = loadProducerConfig({}, senderGroups);
  const requests = checkRequests({ ...defaults.requests, ...options.requests });
  const producer = { ...defaults.sending, ...options.producer };
  checkProducer(producer);
  const now = options.now ?? Date.now;
  const namespace = options.namespace ?? defaults.namespace;
  const registry = options.registry ?? register;
  const problems = createProblemLog(createProducerLogger(options.logger, registry), 'request');
  const metrics = createRequestMetrics(registry, () => sender);
  const identity = createIdentity(producer.name, now());

  let sender: CompletedRequestSender;
  try {
    sender = new CompletedRequestSender({
      pipeline: createPipeline<AwaitedEntry>({
        queue,
        namespace,
        identity,
        transport: createQueueTransport({
          target,
          name: `sluice:${identity.producer}`,
          queue,
          namespace,
          memoryShare: producer.memoryShare,
        }),
        buffer: requests.buffer,
        settings: producer,
        accounts: () => sender,
        onFailure: () => metrics.sendFailed(),
        registry,
        problems,
        random: options.random ?? Math.random,
      }),
      maxBytes: requests.buffer.maxBytes,
      record: {
        maxBodyBytes: requests.maxBodyBytes,
        hashApiKey: requests.apiKeyPepper === null ? null : createApiKeyHash(requests.apiKeyPepper),
        stripRequestKeys: options.stripRequestKeys ?? [],
      },
      metrics,
      problems,
      now,
    });
  } catch (error) {
    metrics.close(null);
    throw error;
  }
  return sender;
}

const maxBodyBytes = { min: 1_024, max: 64 * 1_048_576 };
const minPepperChars = 16;

function checkRequests(requests: RequestSettings): RequestSettings {
  const { apiKeyPepper, buffer } = requests;
  checkSizes({
    'requests.buffer.maxRecords': buffer.maxRecords,
    'requests.buffer.maxBytes': buffer.maxBytes,
    'requests.maxBodyBytes': requests.maxBodyBytes,
  });
  if (requests.maxBodyBytes < maxBodyBytes.min || requests.maxBodyBytes > maxBodyBytes.max)
    throw new RangeError(
      `requests.maxBodyBytes is ${requests.maxBodyBytes}; accepted: ${maxBodyBytes.min} to ${maxBodyBytes.max} bytes`,
    );
  if (requests.maxBodyBytes * 3 > buffer.maxBytes)
    throw new RangeError('requests.maxBodyBytes must be at most a third of requests.buffer.maxBytes');
  // The value is a secret, whatever is wrong with it.
  if (apiKeyPepper !== null && (typeof apiKeyPepper !== 'string' || apiKeyPepper.length < minPepperChars))
    throw new RangeError(
      `requests.apiKeyPepper is too short; accepted: at least ${minPepperChars} characters, or null`,
    );
  return requests;
}

/**
 * The options that an environment asks for: the `REDIS_*` and the `SLUICE_*` names of producers. Others are not looked at: they
 * may be the host's own.
 *
 * @throws UsageError that lists every problem of these variables at once; it shows no secret
 */
export function completedRequestSenderOptionsFrom(environment: NodeJS.ProcessEnv): CompletedRequestSenderOptions {
  const { sending, ...others } = loadProducerConfig(environment, senderGroups);
  return { redisUrl: others.redis.url, ...others, producer: sending };
}
