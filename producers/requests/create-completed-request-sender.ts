import { register } from 'prom-client';
import {
  loadProducerConfig,
  type RequestSettings,
  type SendingSettings,
} from '../../shared/platform/config/producer-config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { checkProducer, checkSizes } from '../core/check-settings.ts';
import { createProducerLogger } from '../core/logger.ts';
import { createPipelineParts, type ProducerOptions } from '../core/pipeline-parts.ts';
import { createProblemLog } from '../core/problem-log.ts';
import { createRedaction, type RedactOptions } from '../core/redact.ts';
import { type RedisOption, toRedisTarget } from '../core/redis-option.ts';
import { createApiKeyHash } from './api-key-hash.ts';
import { CompletedRequestSender } from './completed-request-sender.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { requestIdOf, shardOfRequest } from './request-shard.ts';

/** Everything except where Redis is (`redisUrl` or `redis`) is optional. */
export interface CompletedRequestSenderOptions extends ProducerOptions, RedisOption {
  /** buffer, size limit of a body, and pepper; see `.env.example` for the defaults */
  requests?: Partial<RequestSettings>;
  /** name, chunk, spill, memory and shards, as for an observer; see `.env.example` for the defaults */
  producer?: Partial<SendingSettings>;
  /** top-level keys to remove from request bodies that are JSON objects. @default none */
  stripRequestKeys?: readonly string[];
  /** rules for what leaves the process, see docs/redaction.md. @default none */
  redact?: RedactOptions | null;
}

const queue = 'completed-request';

/** The groups of the configuration that it reads. */
const senderGroups = ['redis', 'namespace', 'sending', 'requests', 'redact'] as const;

/**
 * Creates a sender of completed requests. Nothing connects until the first record is accepted. While Redis is away, records
 * wait in a buffer that is bounded by number and by bytes; when it is full, the sends wait.
 *
 * With `producer.spill.dir`, records go to disk while Redis is away, as with an observer, into a directory of this queue.
 *
 * @throws UsageError without a `redisUrl` or a `redis`, or when a file for TLS or the redaction rules cannot be used
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
  const redaction = createRedaction(options.redact ?? {});
  const namespace = options.namespace ?? defaults.namespace;
  const registry = options.registry ?? register;
  const problems = createProblemLog(createProducerLogger(options.logger, registry), 'request');
  const metrics = createRequestMetrics(registry, () => sender);
  const { apiKeyPepper, buffer, maxBodyBytes } = requests;
  let sender: CompletedRequestSender;
  try {
    sender = new CompletedRequestSender({
      pipeline: createPipelineParts(options, producer, {
        target,
        queue,
        shardOf: shardOfRequest,
        holdsSuccessesBack: false,
        requestIdOf,
        namespace,
        buffer,
        problems,
      }),
      record: {
        maxBodyBytes,
        hashApiKey: apiKeyPepper === null ? null : createApiKeyHash(apiKeyPepper),
        stripRequestKeys: options.stripRequestKeys ?? [],
        redaction,
      },
      metrics,
      problems,
      now: options.now ?? Date.now,
    });
  } catch (error) {
    metrics.close(null);
    throw error;
  }
  return sender;
}

const bodyBytesRange = { min: 1_024, max: 64 * 1_048_576 };
const minPepperChars = 16;

function checkRequests(requests: RequestSettings): RequestSettings {
  const { apiKeyPepper, buffer } = requests;
  checkSizes({
    'requests.buffer.maxRecords': buffer.maxRecords,
    'requests.buffer.maxBytes': buffer.maxBytes,
    'requests.maxBodyBytes': requests.maxBodyBytes,
  });
  if (requests.maxBodyBytes < bodyBytesRange.min || requests.maxBodyBytes > bodyBytesRange.max)
    throw new RangeError(
      `requests.maxBodyBytes is ${requests.maxBodyBytes}; accepted: ${bodyBytesRange.min} to ${bodyBytesRange.max} bytes`,
    );
  if (requests.maxBodyBytes * 3 > buffer.maxBytes)
    throw new RangeError('requests.maxBodyBytes must be at most a third of requests.buffer.maxBytes');
  // Never show the value: it is a secret even if it is invalid.
  if (apiKeyPepper !== null && (typeof apiKeyPepper !== 'string' || apiKeyPepper.length < minPepperChars))
    throw new RangeError(
      `requests.apiKeyPepper is too short; accepted: at least ${minPepperChars} characters, or null`,
    );
  return requests;
}

/**
 * Reads the options from an environment: the `REDIS_*` variables and the `SLUICE_*` variables of producers. Ignores all others,
 * which may be the host's own.
 *
 * @throws UsageError that lists all problems with these variables; it shows no secret
 */
export function completedRequestSenderOptionsFrom(environment: NodeJS.ProcessEnv): CompletedRequestSenderOptions {
  const { sending, ...others } = loadProducerConfig(environment, senderGroups);
  return { redisUrl: others.redis.url, ...others, producer: sending };
}
