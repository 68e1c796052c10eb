import { parseArgs } from 'node:util';
import { UsageError } from '../shared/errors.ts';

/** What the command line asks for. */
export interface BenchOptions {
  /** that a fast contender stores in one run */
  rows: number;
  only: 'end-to-end' | 'record' | null;
  /** one JSON object instead of the tables */
  json: boolean;
}

/** With this many, all parts together take about two minutes on two cores. */
const defaultRows = 30_000;

export const usage = `npm run bench -- [--rows N] [--only end-to-end|record] [--json]

  --rows N    rows in one run of a fast contender; the slow ones store a share of them (${defaultRows})
  --only      end-to-end: rows per second and latency; record: what record() costs its caller
  --json      print one JSON object with the figures, as the last line of standard output
  --help      print this`;

/**
 * Reads the arguments; null when help is asked for.
 *
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const rows = values.rows === undefined ? defaultRows : Number(values.rows);
  if (!(Number.isSafeInteger(rows) && rows >= 100))
    throw new UsageError('--rows must be a whole number of at least 100');
  const only = values.only ?? null;
  if (only !== null && only !== 'end-to-end' && only !== 'record')
    throw new UsageError('--only must be end-to-end or record');
  return { rows, only, json: values.json ?? false };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
