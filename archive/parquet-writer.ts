import { constants, zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { type Column, type ColumnKind, parseDouble, type Row } from './columns.ts';

/** Accepts bytes in order; resolves when there is room for more. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** The limits of what is in memory at once: a row group ends with whichever is reached first. */
const groupRows = 10_000;
const groupCharacters = 4 * 1_024 * 1_024;

const zstd = (page: Uint8Array): Uint8Array =>
  zstdCompressSync(page, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });

/** Writes rows as Parquet, compressed with zstd, one row group at a time. */
export function createParquetWriter(
  sink: ByteSink,
  columns: readonly Column[],
  facts: Readonly<Record<string, string>> = {},
) {
  const bytes = new ByteWriter();
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'row', num_children: columns.length }, ...columns.map(toSchema)],
    codec: 'ZSTD',
    compressors: { ZSTD: zstd },
    createdBy: 'sluice',
    kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
  });
  let values: unknown[][] = columns.map(() => []);
  let [rows, characters] = [0, 0];

  const handOver = async (): Promise<void> => {
    await sink.write(bytes.getBytes());
    bytes.index = 0;
  };
  const endGroup = async (): Promise<void> => {
    await parquet.write({
      columnData: columns.map(({ name, kind }, index) => ({
        name,
        data: values[index] ?? [],
        // Only times have statistics, because only they are queried by range. Others would keep an entry per row group in memory.
        statistics: kind === 'time',
        offsetIndex: false,
        // A dictionary would treat 0 and -0 as equal, and saves nothing for texts that all differ.
        ...(kind === 'double' || kind === 'json' ? { encoding: 'PLAIN' as const } : {}),
      })),
      rowGroupSize: rows,
    });
    values = columns.map(() => []);
    [rows, characters] = [0, 0];
    await handOver();
  };

  return {
    async add(row: Row): Promise<void> {
      for (const [index, { kind }] of columns.entries()) {
        const text = row[index] ?? null;
        values[index]?.push(text === null ? null : toValue(kind, text));
        characters += text?.length ?? 0;
      }
      rows += 1;
      if (rows >= groupRows || characters >= groupCharacters) await endGroup();
    },
    async end(): Promise<void> {
      if (rows > 0) await endGroup();
      await parquet.finish();
      await handOver();
    },
  };
}

function toSchema({ name, kind, isNullable }: Column): SchemaElement {
  return { name, repetition_type: isNullable ? 'OPTIONAL' : 'REQUIRED', ...schemas[kind] };
}

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
const schemas: Record<ColumnKind, Omit<SchemaElement, 'name'>> = {
  uuid: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  integer: { type: 'INT32' },
  bigint: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  // Not Parquet's JSON type: readers parse it and round its numbers.
  json: text,
  text,
};

function toValue(kind: ColumnKind, text: string): unknown {
  switch (kind) {
    case 'time':
    case 'bigint':
      return BigInt(text);
    case 'integer':
      return Number(text);
    case 'double':
      return parseDouble(text);
    case 'boolean':
      return text === 'true';
    case 'uuid':
    case 'json':
    case 'text':
      return text;
  }
}
