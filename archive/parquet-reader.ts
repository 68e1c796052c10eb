import { type FileHandle, open } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { parquetMetadataAsync, parquetRead } from 'hyparquet';
import { withFileErrors } from './archive-file.ts';
import { type Column, type ColumnKind, formatDouble, type Row } from './columns.ts';

/**
 * The rows of a file that was written with these columns, one row group at a time.
 *
 * @throws FileError if it cannot be read, otherwise if it is not such a file, or is detectably damaged
 */
export async function* readParquet(path: string, columns: readonly Column[]): AsyncGenerator<readonly Row[]> {
  await using file = await withFileErrors(path, () => open(path));
  const { size } = await withFileErrors(path, () => file.stat());
  const slice = async (start: number, end = size): Promise<ArrayBuffer> =>
    withFileErrors(path, () => readSlice(file, start, end));
  const source = { byteLength: size, slice };
  const metadata = await parquetMetadataAsync(source);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows: Row[] = [];
    await parquetRead({
      file: source,
      metadata,
      columns: columns.map(({ name }) => name),
      rowStart,
      rowEnd,
      compressors: { ZSTD: (page) => zstdDecompressSync(page) },
      parsers: { ...textParsers },
      onComplete(found) {
        for (const values of found) rows.push(columns.map(({ kind }, index) => toText(kind, values[index])));
      },
    });
    yield rows;
    rowStart = rowEnd;
  }
}

const textParsers = { timestampFromMilliseconds: (ms: bigint) => ms };

async function readSlice(file: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read);
    if (bytesRead === 0) throw new Error('the file is truncated');
    read += bytesRead;
  }
  return bytes.buffer;
}

function toText(kind: ColumnKind, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return kind === 'double' ? formatDouble(Number(value)) : String(value);
}
