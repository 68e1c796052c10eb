import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import type { PipelineParts } from '../../producers/core/pipeline-parts.ts';
import { createProblemLog } from '../../producers/core/problem-log.ts';
import type { Sharding, Transport } from '../../producers/core/transport.ts';
import { CompletedRequestSender } from '../../producers/index.ts';
import { createRequestMetrics } from '../../producers/requests/request-metrics.ts';
import { requestIdOf } from '../../producers/requests/request-shard.ts';
import { type RequestRecord, requestRecordSchema } from '../../shared/contracts/completed-request-schema.ts';
import { aLastingCopy } from './lasting-registry.ts';
import { metricValue } from './metric-value.ts';
import { aTransportOf, type ScriptedTransport } from './transports.ts';

/** A transport of requests that answers while its gate is open, and says nothing while it is shut. */
export interface GatedTransport extends ScriptedTransport<RequestRecord> {
  open(): void;
  shut(): void;
}

export function aGatedTransport({ isOpen = true }: { isOpen?: boolean } = {}): GatedTransport {
  let gate = Promise.withResolvers<void>();
  if (isOpen) gate.resolve();
  const transport = aTransportOf(
    (record) => requestRecordSchema.parse(record),
    () => gate.promise,
  );
  return Object.defineProperties(
    {
      open: () => gate.resolve(),
      shut: () => {
        gate = Promise.withResolvers();
      },
    },
    Object.getOwnPropertyDescriptors(transport),
  ) as GatedTransport;
}

/** A transport of requests that fails as long as it is told to. */
export function aFailingTransport() {
  const state = { isAway: true };
  const transport = aTransportOf(
    (record) => requestRecordSchema.parse(record),
    async () => {
      if (state.isAway) throw new Error('away');
    },
  );
  return { transport, state };
}

/** What a test may choose. */
export interface SenderChoices {
  transport: Transport;
  /** @default one shard */
  sharding?: Sharding;
  bufferRecords?: number;
  bufferBytes?: number;
  chunkRecords?: number;
  maxWaitMs?: number;
  maxBodyBytes?: number;
  /** @default no spill */
  spill?: { dir: string; maxBytes?: number };
}

/** A sender of real parts over a given transport, as `createCompletedRequestSender` makes one over Redis. */
export function aSender(choices: SenderChoices) {
  const registry = new Registry();
  const lines: string[] = [];
  const problems = createProblemLog({ warn: (_fields, message) => lines.push(message) }, 'request');
  const metrics = createRequestMetrics(registry, () => sender);
  const pipeline: PipelineParts = {
    queue: 'completed-request',
    namespace: 'test',
    identity: { producer: 'test', epoch: 1, life: 'a' },
    transport: choices.transport,
    ...(choices.sharding && { sharding: choices.sharding }),
    requestIdOf,
    buffer: { maxRecords: choices.bufferRecords ?? 1_000, maxBytes: choices.bufferBytes ?? 100_000_000 },
    settings: {
      chunk: { maxRecords: choices.chunkRecords ?? 1, maxBytes: 1_000_000, maxWaitMs: choices.maxWaitMs ?? 60_000 },
      spill: { dir: null, maxBytes: 1_000_000_000, fsyncMs: 500, ...choices.spill },
    },
    registry,
    problems,
    // No wait before a send is repeated.
    random: () => 0,
  };
  const sender: CompletedRequestSender = new CompletedRequestSender({
    pipeline,
    record: { maxBodyBytes: choices.maxBodyBytes ?? 1_048_576, hashApiKey: null, stripRequestKeys: [] },
    metrics,
    problems,
    now: Date.now,
  });
  const lasting = aLastingCopy(registry);
  onTestFinished(async () => {
    await sender.close({ timeoutMs: 0 });
  });
  return {
    sender,
    lines,
    value: (name: string, labels?: Record<string, string>) => metricValue(lasting, name, labels),
  };
}

/** Whether a promise has settled by now, and how: everything that can happen without I/O has happened. */
export async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  let outcome = 'pending';
  promise.then(
    () => {
      outcome = 'resolved';
    },
    (error: Error) => {
      outcome = error.name;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return outcome;
}
