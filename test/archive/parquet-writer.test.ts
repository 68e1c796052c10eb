import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Column, formatDouble, type Row } from '../../archive/columns.ts';
import { readParquet } from '../../archive/parquet-reader.ts';
import { createParquetWriter } from '../../archive/parquet-writer.ts';

const mib = 1_024 * 1_024;

const columns: readonly Column[] = [
  { name: 'id', kind: 'uuid', type: 'uuid', isNullable: false },
  { name: 'at', kind: 'time', type: 'timestamp(3) with time zone', isNullable: false },
  { name: 'points', kind: 'double', type: 'double precision', isNullable: true },
  { name: 'trace', kind: 'json', type: 'jsonb', isNullable: true },
];

function rowOf(index: number, characters: number): Row {
  const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  // Nothing that could be compressed.
  const trace = randomBytes(Math.ceil((characters * 3) / 4)).toString('base64');
  return [id, String(1_772_000_000_000 + index), formatDouble(index / 7), `["${trace}"]`];
}

test('parquet writer: what it keeps does not grow with the number of rows', async () => {
  let [written, largest, peak] = [0, 0, 0];
  const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const before = used();
  const sink = {
    async write(bytes: Uint8Array) {
      written += bytes.length;
      largest = Math.max(largest, bytes.length);
      peak = Math.max(peak, used());
      await setImmediate();
    },
  };
  const writer = createParquetWriter(sink, columns);
  for (let index = 0; index < 60_000; index += 1) await writer.add(rowOf(index, 4_000));
  await writer.end();
  expect(written).toBeGreaterThan(100 * mib);
  expect(largest).toBeLessThan(12 * mib);
  expect(peak - before).toBeLessThan(200 * mib);
});

test('parquet writer: rows are read back as they were, also none, and a single one that is larger than a row group', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-parquet-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const large: Row = ['0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f', '-1', null, `["${'é'.repeat(9 * mib)}"]`];
  const negativeZero: Row = ['0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f', '0', formatDouble(-0), null];
  const zero: Row = ['0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f', '253402300799999', formatDouble(0), '1.00'];
  for (const rows of [[], [large, negativeZero, zero], Array.from({ length: 100 }, (_, index) => rowOf(index, 10))]) {
    const parts: Uint8Array[] = [];
    const sink = { write: async (bytes: Uint8Array) => void parts.push(Uint8Array.from(bytes)) };
    const writer = createParquetWriter(sink, columns);
    for (const row of rows) await writer.add(row);
    await writer.end();
    const path = join(dir, `${rows.length}.parquet`);
    await writeFile(path, Buffer.concat(parts));
    const read: Row[] = [];
    for await (const group of readParquet(path, columns)) read.push(...group);
    expect(read).toEqual(rows);
  }
});
