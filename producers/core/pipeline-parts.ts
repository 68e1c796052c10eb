import { randomBytes } from 'node:crypto';
import { type Registry, register } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { SendingSettings } from '../../shared/platform/config/producer-config.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { createProducerName, type ProducerIdentity } from './chunker.ts';
import type { RequestIdOf } from './compress-chunks.ts';
import type { ProblemLog, ProducerLogger } from './problem-log.ts';
import { createQueueTransport } from './queue-transport.ts';
import type { BufferLimits } from './record-buffer.ts';
import type { Sharding, ShardOf, Transport } from './transport.ts';

/** What every producer can be given. Everything is optional. */
export interface ProducerOptions {
  /** keeps fleets apart on one Redis. @default 'sluice' */
  namespace?: string;
  /** where the metrics are registered until `close`; several producers can share it. @default prom-client's own */
  registry?: Registry;
  /** told of drops and failed sends, at most once a second for each kind. @default JSON lines to standard error */
  logger?: ProducerLogger;
  /** uniform in [0, 1). @default Math.random */
  random?: () => number;
  /** ms since 1970. @default Date.now */
  now?: () => number;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  queue: QueueName;
  namespace: string;
  identity: ProducerIdentity;
  transport: Transport;
  /** @default one shard */
  sharding?: Sharding;
  /** what of the records decides the shard of a chunk. @default nothing */
  requestIdOf?: RequestIdOf | null;
  buffer: BufferLimits;
  settings: Pick<SendingSettings, 'chunk' | 'spill'>;
  registry: Registry;
  problems: ProblemLog;
  /** uniform in [0, 1) */
  random: () => number;
  /** ms since 1970; says in which minute records count. @default Date.now */
  now?: () => number;
  /** what the producer is, to the ledger. @default by its queue */
  kind?: string;
}

/**
 * 40 bits: producers of one name that start together, such as worker threads, still have job ids of their own. Two names of
 * sessions, with the longest producer in each, still fit into the name of one file.
 */
const sessionBytes = 5;

/** Identifies a producer's session that begins now. @param name null makes one from the host's name */
export function createIdentity(name: string | null, nowMs: number): ProducerIdentity {
  // A clock may have fractions of a ms; an epoch that has is refused by workers.
  return {
    producer: name ?? createProducerName(),
    epoch: Math.floor(nowMs),
    life: randomBytes(sessionBytes).toString('hex'),
  };
}

/** The parts of a pipeline to Redis. @throws UsageError when a TLS file cannot be used */
export function createPipelineParts(
  { registry = register, random = Math.random, now = Date.now }: ProducerOptions,
  settings: SendingSettings,
  parts: Pick<PipelineParts, 'queue' | 'namespace' | 'buffer' | 'problems' | 'requestIdOf' | 'kind'> & {
    target: RedisTarget;
    shardOf: ShardOf | null;
    holdsSuccessesBack: boolean;
  },
): PipelineParts {
  const { target, shardOf, holdsSuccessesBack, ...others } = parts;
  const { queue, namespace } = parts;
  const identity = createIdentity(settings.name, now());
  const name = `sluice:${identity.producer}`;
  const { memoryShare, shards } = settings;
  const sharding = { shards, shardOf };
  const memory = { memoryShare, holdsSuccessesBack };
  const transport = createQueueTransport({ target, name, queue, namespace, ...memory, random, ...sharding });
  return { ...others, identity, transport, sharding, settings, registry, random, now };
}
