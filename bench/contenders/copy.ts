import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { blocksOf, toCopyText } from '../copy-text.ts';
import type { Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { columns, key } from './columns.ts';
import type { Contender } from './contender.ts';

const linesPerBlock = 50;

/**
 * Raw COPY on one connection: no queue, no SDK, no checks; one transaction, so a crash loses everything. The text of the rows is
 * prepared before the clock starts. It is the yardstick for the others: nothing stores these rows in this table for less.
 */
export async function createCopy(testbed: Testbed, rows: Rows): Promise<Contender> {
  const client = await testbed.connect('the COPY connection');
  const names = columns.map(({ column }) => column).join(', ');
  const lineOf = createLines(rows);
  return {
    name: 'COPY, one connection',
    share: 1,
    workerPids: () => [],
    async store(_rows, count) {
      const copy = client.query(copyFrom(`copy strategy_execution_log (${names}) from stdin`));
      await pipeline(Readable.from(blocksOf(lineOf, { count, linesPerBlock })), copy);
    },
  };
}

/** Lines in COPY's text format. All but the key repeats after a period, so only one period is held. */
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
