import type { Column, Row } from '../../../archive/columns.ts';
import { type ByteSink, createParquetWriter } from '../../../archive/parquet-writer.ts';
import { toCsv, toCsvHead, toNdjson } from './text-rows.ts';

export const exportFormats = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Writes pages of rows in a format. Each call resolves when there is room for more. */
export interface RowWriter {
  write(rows: readonly Row[]): Promise<void>;
  end(): Promise<void>;
}

export function createRowWriter(format: ExportFormat, sink: ByteSink, columns: readonly Column[]): RowWriter {
  if (format === 'parquet') {
    const parquet = createParquetWriter(sink, columns);
    return {
      async write(rows) {
        for (const row of rows) await parquet.add(row);
      },
      end: () => parquet.end(),
    };
  }
  let head = format === 'csv' ? toCsvHead(columns) : '';
  const toText = format === 'csv' ? toCsv : toNdjson;
  const write = async (rows: readonly Row[]): Promise<void> => {
    const text = head + toText(columns, rows);
    head = '';
    if (text !== '') await sink.write(Buffer.from(text));
  };
  return { write, end: () => write([]) };
}
