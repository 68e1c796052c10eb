import { expect, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import type { BatchEntry, Batcher } from '../../../workers/ingest/batcher.ts';
import { processChunk } from '../../../workers/ingest/process-chunk.ts';
import { compressed, filler } from '../../support/compressed-chunk.ts';
import { anExecution } from '../../support/execution.ts';

/** A batcher that commits everything, and the entries that it was given. */
function committing() {
  const entries: BatchEntry[] = [];
  const batcher: Batcher = {
    add: async (entry) => {
      entries.push(entry);
    },
    drain: () => undefined,
    heldRecords: 0,
  };
  return { batcher, entries };
}

const record = () =>
  JSON.parse(
    toExecutionRecord(anExecution(), { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 }).json,
  );
const header = { v: 1, producer: 'p-1', epoch: 5, seq: 6 };

const settle = (data: unknown) => settleText(JSON.stringify(data));

async function settleText(raw: string) {
  const { batcher, entries } = committing();
  const outcome = await processChunk(executionLogQueue, { jobId: 'j', raw, nowMs: Date.now() }, batcher);
  return { outcome, entries };
}

test.each([
  ['as the SDK writes it', (records: unknown[]) => JSON.stringify({ ...header, records })],
  ['with spaces', (records: unknown[]) => JSON.stringify({ ...header, records }, null, 1)],
  ['with the records first', (records: unknown[]) => JSON.stringify({ records, ...header })],
  ['with a field of its own behind them', (records: unknown[]) => JSON.stringify({ ...header, records, more: [1] })],
])('process chunk:written %s, all records reach the batcher as they are', async (_how, write) => {
  const records = [record(), record(), record()];
  const raw = write(records);
  const { outcome, entries } = await settleText(raw);
  expect(entries.map(({ json, records: count }) => [JSON.parse(json), count])).toEqual([[records, 3]]);
  expect(outcome).toEqual({
    kind: 'settled',
    producer: 'p-1',
    records: 3,
    dead: [],
    retryLimited: [],
    retryLater: 0,
    odd: 0,
  });
});

test('process chunk: a record with a time that cannot be is stored with a note, once, and is counted each time', async () => {
  const odd = { ...record(), recordedAt: '1970-01-21T00:00:00.000Z' };
  const first = await settle({ ...header, records: [record(), odd] });
  const [, noted] = JSON.parse(first.entries[0]?.json ?? '');
  expect(noted).toEqual({
    ...odd,
    notes: 'recordedAt: 1970-01-21T00:00:00.000Z is implausible, before 2000; were seconds given for milliseconds?',
  });
  expect(first.outcome).toMatchObject({ odd: 1, dead: [] });
  const second = await settle({ ...header, records: [noted] });
  expect(JSON.parse(second.entries[0]?.json ?? '')).toEqual([noted]);
  expect(second.outcome).toMatchObject({ odd: 1 });
});

test('process chunk: the records at fault become dead letters, the others go on', async () => {
  const records = [record(), { ...record(), status: 'great' }, record(), null];
  const { outcome, entries } = await settle({ ...header, records });
  expect(JSON.parse(entries[0]?.json ?? '')).toEqual([records[0], records[2]]);
  expect(outcome).toMatchObject({ kind: 'settled', records: 4, dead: [{ code: 'schema' }, { code: 'schema' }] });
});

test('process chunk: a chunk of bad records only asks nothing of the database', async () => {
  const { outcome, entries } = await settle({ ...header, records: [1, 'x'] });
  expect(entries).toEqual([]);
  expect(outcome).toMatchObject({ dead: [{ payload: '1' }, { payload: '"x"' }] });
});

test.each(['', '{', 'null and void', '[1,]', '\uFFFD\0'])(
  'process chunk: data that is not JSON is one dead letter, its text kept as far as it can be stored: %j',
  async (raw) => {
    const { outcome, entries } = await settleText(raw);
    expect(entries).toEqual([]);
    expect(outcome).toMatchObject({
      kind: 'settled',
      records: 1,
      dead: [{ code: 'schema', reason: 'chunk: is not JSON', payload: raw.replace('\0', '\uFFFD') }],
    });
  },
);

test('process chunk: a compressed one is settled as the plain one in it, and what is dead is the very text that was in it', async () => {
  const records = [JSON.stringify(record()), '{"n":12345678901234567890, "filler":"x"}', JSON.stringify(record())];
  const plain = `{"v":1,"producer":"p-1","epoch":5,"seq":6,"records":[${records.join(',')}]}`;
  const { outcome, entries } = await settleText(compressed(plain, 3));
  expect(entries).toEqual([{ json: `[${records[0]},${records[2]}]`, records: 2 }]);
  expect(outcome).toMatchObject({
    ...{ kind: 'settled', producer: 'p-1', records: 3 },
    dead: [{ payload: records[1], code: 'schema', contractVersion: 1, producer: 'p-1', jobId: 'j' }],
  });
});

test('process chunk: of a newer chunk that was compressed the job is delayed, and a malformed one is dead with its plain text', async () => {
  const newer = `{"v":9,"producer":"p-1","epoch":5,"seq":6,"records":["${filler}"]}`;
  expect((await settleText(compressed(newer))).outcome).toEqual({ kind: 'newer', version: 9 });
  const malformed = `{"v":1,"producer":"p-1","epoch":5,"seq":0,"records":["${filler}"]}`;
  expect((await settleText(compressed(malformed))).outcome).toMatchObject({
    dead: [
      { payload: malformed, code: 'schema', reason: expect.stringMatching(/^chunk: seq: /), contractVersion: null },
    ],
  });
});

test('process chunk: one that cannot be decompressed is one dead letter, as it came, and names its producer', async () => {
  const plain = `{"v":1,"producer":"p-1","epoch":5,"seq":6,"records":["${filler}"]}`;
  const damaged = compressed(plain).replace(/"bytes":\d+/, '"bytes":1024');
  const { outcome, entries } = await settleText(damaged);
  expect(entries).toEqual([]);
  expect(outcome).toMatchObject({
    ...{ kind: 'settled', producer: 'p-1', records: 1 },
    dead: [
      {
        ...{ payload: damaged, code: 'schema', reason: 'chunk: bytes: the plain text is longer' },
        ...{ contractVersion: null, producer: 'p-1' },
      },
    ],
  });
});
