import { executionFields } from '../../shared/contracts/canonical-text.ts';
import { findImplausibility } from '../../shared/contracts/plausible-time.ts';
import { copyRows } from '../../shared/platform/postgres/database.ts';
import { accountsOf } from '../ingest/account-rows.ts';
import { createCanonicalReader } from '../ingest/canonical-chunk.ts';
import { CopyText } from '../ingest/copy-text.ts';
import { earliestOf } from '../ingest/earliest-of.ts';
import type { CopyDefinition, CopyRows } from '../ingest/queue-definition.ts';
import { narrowColumns } from './columns.ts';
import { copyStatement, copyVeto } from './statement.ts';

interface ExecutionRows extends CopyRows {
  lines: Buffer;
  /** of their times */
  earliest: string;
}

const readChunk = createCanonicalReader({ narrow: narrowColumns, wide: executionFields.wide });

const recordedAt = executionFields.narrow.indexOf('recordedAt');
const durationMs = executionFields.narrow.indexOf('durationMs');

/** Of trace and input. */
type WidePlaces = readonly [traceFrom: number, traceUntil: number, inputFrom: number, inputUntil: number];

/** What begins a list in JSON, and the word for nothing. */
const [openingBracket, n] = [0x5b, 0x6e];

/** COPY of executions: all that the contract asks is checked here or by the database, which refuses what is wrong. */
export const executionCopy: CopyDefinition = {
  read(chunk, latest) {
    const text = new CopyText(chunk, 1);
    let earliest = latest;
    const addJson = (from: number, until: number): void => {
      if (from === -1 || (chunk[from] === n && chunk.toString('latin1', from, until) === 'null')) text.addNull();
      else text.addJson(from, until);
    };
    const read = readChunk(chunk, (narrow, wide) => {
      const time = narrow[recordedAt] as string;
      if (findImplausibility(time, latest) !== null || narrow[durationMs]?.startsWith('-') === true) return false;
      const [traceFrom, traceUntil, inputFrom, inputUntil] = wide as WidePlaces;
      if (traceFrom !== -1 && chunk[traceFrom] !== openingBracket) return false;
      if (time < earliest) earliest = time;
      text.add(narrow.join('\t'));
      addJson(traceFrom, traceUntil);
      addJson(inputFrom, inputUntil);
      text.end();
      return true;
    });
    if (read === null) return null;
    const lines = text.toBuffer();
    const rows: ExecutionRows = { records: read.records, lines, earliest, bytes: lines.length };
    return { chunk: read, rows };
  },
  async store(database, rows) {
    const all = rows as readonly ExecutionRows[];
    const table = { statement: copyStatement, lines: all.map(({ lines }) => lines) };
    const counts = await copyRows(database, {
      veto: copyVeto(earliestOf(all)),
      tables: [table],
      also: accountsOf('execution-log', all),
    });
    if (counts === null) return null;
    const [stored = 0] = counts;
    const records = all.reduce((sum, one) => sum + one.records, 0);
    // A trigger of the operator may have left some out.
    return { outcomes: { stored, duplicate: records - stored }, unstored: [] };
  },
};
