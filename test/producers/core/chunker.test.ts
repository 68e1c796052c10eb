import { expect, test } from 'vitest';
import { type ChunkLimits, createChunker, createProducerName } from '../../../producers/core/chunker.ts';
import { type Entry, RecordBuffer } from '../../../producers/core/record-buffer.ts';
import { chunkId, chunkVersion, producerNamePattern } from '../../../shared/contracts/chunk.ts';
import { parseChunk } from '../../../shared/contracts/parse-chunk.ts';
import { anEntry } from '../../support/entry.ts';

const identity = { producer: 'host-1', epoch: 1_700_000_000_000, life: '9f2c4e01ab' };

function chunkerOf(limits: Partial<ChunkLimits>, entries: Entry[] = []) {
  const buffer = new RecordBuffer({ maxRecords: 1_000_000, maxBytes: 1_000_000_000 });
  for (const entry of entries) buffer.offer(entry);
  return { buffer, chunker: createChunker(buffer, { maxRecords: 100, maxBytes: 10_000, ...limits }, identity) };
}

const some = (count: number, overrides: Partial<Entry> = {}) => Array.from({ length: count }, () => anEntry(overrides));

test('chunker: of an empty buffer there is no chunk, and no number is spent on it', () => {
  const { buffer, chunker } = chunkerOf({});
  expect(chunker.next()).toBeNull();
  buffer.offer(anEntry());
  expect(chunker.next()?.id).toBe('host-1.1700000000000.9f2c4e01ab.1');
});

test('chunker: the data is an envelope that workers can read, with the records as they were', () => {
  const entries = [anEntry({ json: '{"a":"é\\"]}"}' }), anEntry({ json: '{"b":[1,2]}' })];
  const chunk = chunkerOf({}, entries).chunker.next();
  expect(parseChunk(JSON.parse(chunk?.data ?? ''))).toEqual({
    kind: 'chunk',
    chunk: { v: chunkVersion, ...identity, seq: 1, records: [{ a: 'é"]}' }, { b: [1, 2] }] },
  });
  expect(chunk?.entries).toEqual(entries);
});

test('chunker: the id is that of the chunk inside, and fit to be a job id', () => {
  const { chunker } = chunkerOf({ maxRecords: 1 }, some(3));
  for (const seq of [1, 2, 3]) {
    const chunk = chunker.next();
    const parsed = parseChunk(JSON.parse(chunk?.data ?? ''));
    expect(parsed).toMatchObject({ kind: 'chunk', chunk: { seq } });
    expect(chunk?.id).toBe(parsed.kind === 'chunk' ? chunkId(parsed.chunk) : null);
    expect(chunk?.id).not.toContain(':');
  }
  expect(chunker.next()).toBeNull();
});

test('chunker: a chunk has no more records than its limit', () => {
  const { chunker } = chunkerOf({ maxRecords: 4 }, some(10));
  expect([chunker.next(), chunker.next(), chunker.next()].map((chunk) => chunk?.entries.length)).toEqual([4, 4, 2]);
});

test('chunker: a chunk has no more bytes than its limit', () => {
  const { chunker } = chunkerOf({ maxBytes: 25 }, some(5));
  expect([chunker.next(), chunker.next(), chunker.next()].map((chunk) => chunk?.entries.length)).toEqual([2, 2, 1]);
});

test('chunker: a record larger than the limit travels alone', () => {
  const { chunker } = chunkerOf({ maxBytes: 25 }, [...some(1, { bytes: 100 }), ...some(1)]);
  expect([chunker.next(), chunker.next()].map((chunk) => chunk?.entries.map(({ bytes }) => bytes))).toEqual([
    [100],
    [10],
  ]);
});

test('chunker: what waits is a full chunk from the limit of records on', () => {
  const { buffer, chunker } = chunkerOf({ maxRecords: 3 }, some(2));
  expect(chunker.hasFullChunk()).toBe(false);
  buffer.offer(anEntry());
  expect(chunker.hasFullChunk()).toBe(true);
});

test('chunker: what waits is a full chunk from the limit of bytes on', () => {
  const { buffer, chunker } = chunkerOf({ maxBytes: 30 }, some(2));
  expect(chunker.hasFullChunk()).toBe(false);
  buffer.offer(anEntry());
  expect(chunker.hasFullChunk()).toBe(true);
});

test('chunker: what is on its way does not wait any more', () => {
  const { buffer, chunker } = chunkerOf({ maxRecords: 3 }, some(3));
  chunker.next();
  expect(chunker.hasFullChunk()).toBe(false);
  expect(buffer.held.records).toBe(3);
});

test('chunker: the name of a producer fits into ids, and no two are alike', () => {
  const names = Array.from({ length: 1_000 }, createProducerName);
  expect(names.filter((name) => !producerNamePattern.test(name))).toEqual([]);
  expect(new Set(names).size).toBe(1_000);
});

test('chunker: a chunk is of version 2 when a record in it names a span, and of version 1 else, which older workers take', () => {
  const { chunker } = chunkerOf({ maxRecords: 2 }, [...some(3), anEntry({ hasSpan: true }), ...some(2)]);
  const versions = [chunker.next(), chunker.next(), chunker.next()].map((chunk) => JSON.parse(chunk?.data ?? '').v);
  expect(versions).toEqual([1, 2, 1]);
});
