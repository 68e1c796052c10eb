import { randomBytes } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { SendingSettings } from '../../shared/platform/config/producer-config.ts';
import { createSpillSide, type SpillAccounts } from '../spill/create-spill-side.ts';
import { type ChunkSender, createChunkSender } from './chunk-sender.ts';
import { createChunker, createProducerName, type OutgoingChunk, type ProducerIdentity } from './chunker.ts';
import type { ProblemLog } from './problem-log.ts';
import { type BufferLimits, type Entry, RecordBuffer } from './record-buffer.ts';
import type { RecordRefusedError } from './refusal.ts';
import type { Transport } from './transport.ts';

/** From the buffer to the queue. */
export interface Pipeline<E extends Entry> {
  buffer: RecordBuffer<E>;
  sender: ChunkSender<E>;
  /** Takes its metrics away. Call it when the sender has stopped. */
  close(): void;
}

/** Whose records a pipeline moves, and who therefore hears of them. */
export interface PipelineAccounts<E extends Entry> extends SpillAccounts<E> {
  /** chunks from memory that Redis has acknowledged */
  sent(chunks: readonly OutgoingChunk<E>[]): void;
  /** a record from memory that Redis refuses for good */
  refused(entry: E, error: RecordRefusedError): void;
}

/** What a pipeline is made of. */
export interface PipelineOptions<E extends Entry> {
  queue: QueueName;
  namespace: string;
  identity: ProducerIdentity;
  transport: Transport;
  buffer: BufferLimits;
  settings: Pick<SendingSettings, 'chunk' | 'spill'>;
  /** asked when there is something to tell; they are made after their pipeline */
  accounts: () => PipelineAccounts<E>;
  /** an attempt to send that is repeated */
  onFailure(error: Error): void;
  registry: Registry;
  problems: ProblemLog;
  /** uniform in [0, 1) */
  random: () => number;
}

/**
 * 40 bits: producers of one name that start together, such as worker threads, have job ids of their own all the same. Two names
 * of lives, with the longest producer in each, still fit into the name of one file.
 */
const lifeBytes = 5;

/** One life of a producer that begins now. @param name null makes one from the host's name */
export function createIdentity(name: string | null, nowMs: number): ProducerIdentity {
  return { producer: name ?? createProducerName(), epoch: nowMs, life: randomBytes(lifeBytes).toString('hex') };
}

/** Puts buffer, chunker, sender and, where there is a directory for it, the spill together. Nothing connects yet. */
export function createPipeline<E extends Entry>(options: PipelineOptions<E>): Pipeline<E> {
  const { accounts, identity, problems, random, registry, settings } = options;
  const buffer = new RecordBuffer<E>(options.buffer);
  const spill = createSpill();
  const sender = createChunkSender<E>({
    buffer,
    chunker: createChunker(buffer, settings.chunk, identity),
    transport: options.transport,
    maxWaitMs: settings.chunk.maxWaitMs,
    random,
    onSent: (chunks) => accounts().sent(chunks),
    onRefused(entry, error) {
      accounts().refused(entry, error);
      problems.report('refused', error);
    },
    onFailure(error) {
      options.onFailure(error);
      problems.report('send_failed', error);
    },
    spill,
  });
  return { buffer, sender, close: () => spill?.close() };

  function createSpill() {
    const { dir, ...bounds } = settings.spill;
    if (dir === null) return null;
    return createSpillSide<E>({
      settings: { dir, ...bounds },
      namespace: options.namespace,
      queue: options.queue,
      life: `${identity.producer}-${identity.epoch}.${identity.life}`,
      accounts,
      registry,
      problems,
      now: Date.now,
      onFound: () => sender.replay(),
    });
  }
}
