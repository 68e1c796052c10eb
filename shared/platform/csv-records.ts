import { UsageError } from './errors.ts';

/** A record of a CSV file. */
export interface CsvRecord {
  /** that it begins on, from 1 */
  line: number;
  fields: string[];
}

/**
 * Reads CSV as RFC 4180 has it, with ends of lines of any kind. Empty lines are left out.
 *
 * @throws UsageError when a quote is where none can be, or is not closed
 */
export function readCsvRecords(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  // A field may have megabytes: one step of the pattern for each character would be too many.
  const pattern = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\r|\n|$)/y;
  let record: CsvRecord = { line: 1, fields: [] };
  let line = 1;
  while (pattern.lastIndex < text.length || record.fields.length > 0) {
    const found = pattern.exec(text);
    if (found === null) throw new UsageError(`line ${line}: a quote is not where a field begins, or is not closed`);
    const [whole, quoted, plain = '', end] = found;
    record.fields.push(quoted?.replaceAll('""', '"') ?? plain);
    line += whole.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (end === ',') continue;
    if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
    record = { line, fields: [] };
    if (end === '') break;
  }
  return records;
}
