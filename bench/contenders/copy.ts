import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Rows } from '../rows.ts';
import type { Stage } from '../stage.ts';
import { columns, key } from './columns.ts';
import type { Contender } from './contender.ts';

const linesPerWrite = 50;

/**
 * Raw COPY on one connection: no queue, no SDK, no checks; one transaction, so a crash loses all. The text of the rows
 * is made before the clock runs. It is the measure for the others: nothing gets these rows into this table with less.
 */
export async function createCopy(stage: Stage, rows: Rows): Promise<Contender> {
  const client = new pg.Client({ connectionString: stage.databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  stage.onClose('the COPY connection', () => client.end());
  const names = columns.map(({ column }) => column).join(', ');
  const lineOf = createLines(rows);
  return {
    name: 'COPY, one connection',
    share: 1,
    workerPids: () => [],
    async store(_rows, count) {
      const copy = client.query(copyFrom(`copy strategy_execution_log (${names}) from stdin`));
      await pipeline(Readable.from(blocksOf(lineOf, count)), copy);
    },
  };
}

function* blocksOf(lineOf: (index: number) => string, count: number): Generator<string> {
  for (let start = 0; start < count; start += linesPerWrite) {
    const length = Math.min(linesPerWrite, count - start);
    yield Array.from({ length }, (_, offset) => lineOf(start + offset)).join('');
  }
}

/** Lines in COPY's text format. All but the key is the same again after a period, so only that much is held. */
function createLines(rows: Rows): (index: number) => string {
  const others = columns.filter(({ field }) => !key.includes(field));
  const rests = Array.from({ length: rows.period }, (_, index) => {
    const record: Record<string, unknown> = { ...rows.record(index) };
    return `${others.map(({ field }) => toCopyText(record[field])).join('\t')}\n`;
  });
  return (index) => {
    const { id, recordedAt } = rows.execution(index);
    return `${id}\t${recordedAt}\t${rests[index % rows.period]}`;
  };
}

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** @see https://www.postgresql.org/docs/current/sql-copy.html, "Text Format" */
function toCopyText(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\\\n\r\t]/g, (character) => escapes[character] as string);
}
