import { expect, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import type { BatchEntry } from '../../../workers/ingest/batcher.ts';
import { CopyRefusedError } from '../../../workers/ingest/copy-writer.ts';
import { type Batchers, processChunk } from '../../../workers/ingest/process-chunk.ts';
import type { CopyRows } from '../../../workers/ingest/queue-definition.ts';
import { compressed, filler } from '../../support/compressed-chunk.ts';
import { anExecution } from '../../support/execution.ts';
import { recordText } from '../../support/execution-fleet.ts';
import { chunkText } from '../../support/settle-chunk.ts';

/** Batchers that commit everything, but for what may be refused by COPY, and the entries that they were given. */
function committing({ copyRefuses = true } = {}) {
  const entries: BatchEntry[] = [];
  const rows: CopyRows[] = [];
  const unused = { drain: () => undefined, heldRecords: 0 };
  const batchers: Batchers = {
    copy: {
      ...unused,
      add: async (some) => {
        rows.push(some);
        if (copyRefuses) throw new CopyRefusedError('refused');
      },
    },
    json: {
      ...unused,
      add: async (entry) => {
        entries.push(entry);
      },
    },
  };
  return { batchers, entries, rows };
}

const record = () =>
  JSON.parse(
    toExecutionRecord(anExecution(), { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 }).json,
  );
const header = { v: 1, producer: 'p-1', epoch: 5, seq: 6 };

const settle = (data: unknown) => settleText(JSON.stringify(data));

async function settleText(raw: string, options: Parameters<typeof committing>[0] = {}) {
  const { batchers, entries, rows } = committing(options);
  const outcome = await processChunk(executionLogQueue, { jobId: 'j', raw, nowMs: Date.now() }, batchers);
  return { outcome, entries, rows };
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
    isCopied: false,
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

test('process chunk: a chunk in canonical form goes to COPY, and to the statement only if it is refused', async () => {
  const texts = [1, 2].map((number) => recordText(number));
  for (const chunk of [chunkText(texts), compressed(chunkText(texts))]) {
    const stored = await settleText(chunk, { copyRefuses: false });
    expect(stored.rows.map(({ records }) => records)).toEqual([2]);
    expect(stored.entries).toEqual([]);
    expect(stored.outcome).toMatchObject({ producer: 'p-1', records: 2, dead: [], odd: 0 });
    const refused = await settleText(chunk);
    expect(refused.entries.map(({ json }) => JSON.parse(json))).toEqual([texts.map((text) => JSON.parse(text))]);
    expect(refused.outcome).toEqual({ ...stored.outcome, isCopied: false });
  }
});

test.each([
  ['a time that cannot be', (text: string) => text.replace(/"recordedAt":"\d{4}/, '"recordedAt":"1970')],
  ['a negative duration', (text: string) => text.replace('"durationMs":', '"durationMs":-')],
  ['a field that is too long', (text: string) => text.replace('"realmId":"', `"realmId":"${'x'.repeat(600)}`)],
  ['a field that nobody knows', (text: string) => text.replace('{', '{"more":1,')],
  ['half of a pair of surrogates', (text: string) => text.replace('"realmId":"', String.raw`"realmId":"\ud800`)],
  ['another order', (text: string) => text.replace(/("id":"[^"]+"),("recordedAt":"[^"]+")/, '$2,$1')],
  ['a trace that is no list', (text: string) => text.replace('"trace":[', '"trace":{"a":[').replace(/\],\t/, ']},\t')],
])('process chunk: a record with %s is looked at by a parser', async (_what, change) => {
  const [first, changed] = [recordText(1), change(recordText(2))];
  expect(changed).not.toBe(recordText(2));
  const { rows } = await settleText(chunkText([first, changed]), { copyRefuses: false });
  expect(rows).toEqual([]);
});
