import { expect, test } from 'vitest';
import type { Sharding, Transport } from '../../../producers/core/transport.ts';
import { shardOfRequest } from '../../../producers/requests/request-shard.ts';
import { requestRecordSchema } from '../../../shared/contracts/completed-request-schema.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { recordsOf } from '../../support/records-of.ts';
import { aRequest } from '../../support/request.ts';
import { aSender, outcomeOf, type SenderChoices } from '../../support/request-sender.ts';
import { aTransportOf } from '../../support/transports.ts';

const shards = 4;
const sharding: Sharding = { shards, shardOf: shardOfRequest };

function shardOf(requestId: string): number {
  return shardOfRequest(JSON.stringify({ requestId }), shards);
}

/** A request of a shard. */
function requestOf(shard: number) {
  for (;;) {
    const requestId = crypto.randomUUID();
    if (shardOf(requestId) === shard) return aRequest({ requestId });
  }
}

/** A sender to four shards, of which one may be away. */
function setUp(choices: Partial<SenderChoices> = {}) {
  const state: { away: number | null } = { away: null };
  const sent = aTransportOf((record) => requestRecordSchema.parse(record));
  const transport: Transport = {
    async send(chunks) {
      if (chunks.some(({ data }) => sharding.shardOf?.(data, shards) === state.away))
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
      await sent.send(chunks);
    },
    close: () => sent.close(),
  };
  return { ...aSender({ transport, sharding, ...choices }), sent, state };
}

test('shards of requests: a chunk has records of one shard only, and the chunks of a session are numbered through', async () => {
  const { sender, sent } = setUp({ chunkRecords: 10 });
  // Large enough for a chunk of any number of them to be compressed.
  const requestBody = 'x'.repeat(2_000);
  for (let index = 0; index < 200; index += 1) await sender.send(aRequest({ requestBody }));
  await sender.flush();
  const chunks = sent.attempts.flat().map(({ data }) => JSON.parse(data));
  for (const data of chunks) {
    const ofRecords = recordsOf<{ requestId: string }>({ data }).map(({ requestId }) => shardOf(requestId));
    expect(new Set(ofRecords)).toEqual(new Set([shardOfRequest(JSON.stringify(data), shards)]));
  }
  expect(new Set(chunks.map(({ v }) => v))).toEqual(new Set([3]));
  expect(chunks.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(chunks.map((_chunk, index) => index + 1));
  expect(sent.records).toHaveLength(200);
});

test('shards of requests: one that is away holds its own, all others flow, and a buffer that is full makes sends wait', async () => {
  const { sender, sent, state } = setUp({ bufferRecords: 20 });
  state.away = 2;
  for (let index = 0; index < 19; index += 1) await sender.send(requestOf(2));
  for (let index = 0; index < 100; index += 1) await sender.send(requestOf(index % 2));
  await until(() => sent.records.length === 100);
  expect(sender.depth().records).toBe(19);
  await sender.send(requestOf(2));
  const waiting = sender.send(requestOf(0));
  expect(await outcomeOf(waiting)).toBe('pending');

  state.away = null;
  await waiting;
  expect(await sender.flush()).toMatchObject({ unflushed: 0 });
  expect(sent.records).toHaveLength(121);
});

test('shards of requests: with a spill, only those of a shard that is away go to the disk, and come back from there', async () => {
  const { sender, sent, state } = setUp({ bufferRecords: 20, spill: { dir: await createDirectory() } });
  state.away = 2;
  for (let index = 0; index < 100; index += 1) await sender.send(requestOf(2));
  for (let index = 0; index < 100; index += 1) await sender.send(requestOf(3));
  await until(() => sender.stats().spilled === 100 && sent.records.length === 100);
  state.away = null;
  await until(() => sender.stats().spilled === 0);
  expect(sent.records).toHaveLength(200);
  expect(sender.stats()).toMatchObject({ sent: 200, dropped: 0, rejected: 0 });
});

test('shards of requests: what does not reach its shard before the end is counted, whether a chunk was made of it or not', async () => {
  const { sender, sent, state } = setUp({ chunkRecords: 5 });
  state.away = 1;
  for (let index = 0; index < 60; index += 1) await sender.send(requestOf(1));
  await sender.send(requestOf(0));
  expect(await sender.close({ timeoutMs: 50 })).toEqual({ flushed: 1, unflushed: 60, spilled: 0 });
  expect(sent.records).toHaveLength(1);
  expect(sender.stats()).toMatchObject({ accepted: 61, sent: 1, dropped: 60 });
});
