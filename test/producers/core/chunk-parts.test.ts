import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeApart } from '../../../producers/core/chunk-parts.ts';
import { type Chunk, ledgerChunkVersion } from '../../../shared/contracts/chunk.ts';
import { ledgerHeaderOf } from '../../../shared/contracts/ledger-header.ts';
import { hasZstd, unwrapChunkAtOnce, wrapChunkAtOnce } from '../../../shared/platform/chunk-compression.ts';

const origin = { producer: 'host-1', epoch: 5, life: 'a', seq: 7 };
const head = { v: ledgerChunkVersion, ...origin, before: 100 };

/** A chunk whose records know their place in the whole chunk. */
function aChunk(size: number, erased: readonly [number, number][] = [], more: object = {}) {
  const places = Array.from({ length: size }, (_, place) => place);
  const left = places.filter((place) => !erased.some(([from, until]) => from <= place && place < until));
  const chunk = { ...head, of: [['realm "of" records', 3, size]], ...(erased.length > 0 ? { erased } : {}) };
  return { id: 'host-1.5.a.7', data: JSON.stringify({ ...chunk, records: left.map((place) => ({ place, ...more })) }) };
}

test('parts: each says what the whole chunk says to the ledger, and its own place there', () => {
  const part = takeApart(aChunk(10))?.part(4, 7);
  expect(part).toEqual({
    id: 'host-1.5.a.7.4-7',
    data: JSON.stringify({
      ...{ ...head, of: [['realm "of" records', 3, 10]], from: 4 },
      records: [{ place: 4 }, { place: 5 }, { place: 6 }],
    }),
  });
  expect(takeApart(aChunk(10))?.part(0, 5).data).toContain('"from":0,"records":[{"place":0}');
});

test('parts: whatever an erasure has taken out, the place of each record is the one that it has had', () => {
  const ranges = fc
    .uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 11 })
    .map((places) => places.sort((a, b) => a - b).map((place): [number, number] => [place, place + 1]));
  fc.assert(
    fc.property(ranges, fc.nat(), fc.nat(), (erased, one, other) => {
      const left = 12 - erased.length;
      const from = Math.min(one % left, other % left);
      const until = Math.max(one % left, other % left) + 1;
      const chunk = JSON.parse(takeApart(aChunk(12, erased))?.part(from, until).data ?? '') as Chunk<{ place: number }>;
      const header = ledgerHeaderOf(chunk) ?? expect.unreachable();
      expect(header.from).toBe(chunk.records[0]?.place);
      let place = header.from;
      for (const record of chunk.records) {
        while (header.erased.some(([first, end]) => first <= place && place < end)) place += 1;
        expect(record.place).toBe(place);
        place += 1;
      }
    }),
  );
});

test.runIf(hasZstd)('parts: those of a compressed chunk are compressed, with their place in the text', () => {
  const whole = aChunk(100, [], { filler: 'x'.repeat(100) });
  const data = wrapChunkAtOnce(whole.data, 100);
  expect(data).not.toBe(whole.data);
  const part = takeApart({ id: whole.id, data })?.part(40, 80) ?? expect.unreachable();
  expect(part.data).toContain('"encoding":"zstd"');
  const unwrapped = unwrapChunkAtOnce(part.data);
  const chunk = JSON.parse(unwrapped.kind === 'plain' ? unwrapped.text : '') as Chunk;
  expect(chunk).toMatchObject({ from: 40, before: 100, of: [['realm "of" records', 3, 100]] });
  expect(chunk.records).toHaveLength(40);
});

test('parts: those of a chunk that says nothing to the ledger say nothing, either', () => {
  const data = JSON.stringify({ v: 1, ...origin, records: [{ n: 1 }, { n: 2 }] });
  expect(takeApart({ id: 'x', data })?.part(1, 2).data).toBe(JSON.stringify({ v: 1, ...origin, records: [{ n: 2 }] }));
});
