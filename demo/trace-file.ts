import { createReadStream } from 'node:fs';
import { drawEvent, type ScoringEvent } from './executions/events.ts';
import type { Strategy } from './executions/strategies.ts';
import { createRandom } from './random.ts';

/** One request of a recorded trace. */
export type TraceRow = {
  /** Time since the first row of the file, in ms with 4 decimals; 0 for a row that is older than the first. */
  atMs: number;
  contextTokens: number;
  generatedTokens: number;
};

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';

/**
 * Reads the arrivals of a trace file, row by row in the file's order, without holding the file in memory.
 * The format is CSV with the header `TIMESTAMP,ContextTokens,GeneratedTokens`; times look like
 * `2023-11-16 18:17:03.9799600` with up to 7 decimals. A BOM, CRLF and blank lines at the end are accepted.
 * @throws Error that names the file, the line and what is wrong there; also for a file that is unreadable or has no rows
 */
export async function* readTraceFile(path: string): AsyncGenerator<TraceRow, void, undefined> {
  let lineNumber = 0;
  let blankLine: number | undefined;
  let first: Instant | undefined;
  const refuse = (problem: string, line = lineNumber) => new Error(`trace file ${path}, line ${line}: ${problem}`);

  for await (const line of readLines(path)) {
    lineNumber += 1;
    if (lineNumber === 1) {
      if (line !== header) throw refuse(`expected the header ${header}, got ${quote(line)}`);
      continue;
    }
    if (line.trim() === '') {
      blankLine ??= lineNumber;
      continue;
    }
    if (blankLine !== undefined) throw refuse('a blank line before further rows', blankLine);
    const row = parseRow(line);
    if (typeof row === 'string') throw refuse(row);
    first ??= row.at;
    const { contextTokens, generatedTokens } = row;
    yield { atMs: Math.max(0, elapsedMs(first, row.at)), contextTokens, generatedTokens };
  }
  if (lineNumber === 0) throw new Error(`trace file ${path} is empty: expected the header ${header}`);
  if (first === undefined) throw new Error(`trace file ${path} has no rows after its header`);
}

/**
 * Turns arrivals into events at the same times. Sizes come from the tokens (a long context is a large survey, a long answer a long
 * effort); who, where and which strategy are drawn, the same for the same seed.
 * @throws RangeError at the first arrival if there is no strategy
 */
export async function* toEvents(
  rows: AsyncIterable<TraceRow> | Iterable<TraceRow>,
  strategies: readonly Pick<Strategy, 'id'>[],
  seed: number,
): AsyncGenerator<ScoringEvent, void, undefined> {
  const random = createRandom(seed);
  for await (const { atMs, contextTokens, generatedTokens } of rows) {
    const event = drawEvent({ atMs, strategies, random });
    const sizes = {
      contextTokens,
      generatedTokens,
      gridRows: 2 + Math.floor(contextTokens / 500),
      gridColumns: 2 + Math.floor(generatedTokens / 10),
      distanceKm: contextTokens / 1000,
      minutes: generatedTokens / 10,
    };
    yield { ...event, data: { ...event.data, ...sizes } };
  }
}

/** A second and the 100 ns steps after it: a single floating-point number would lose the seventh decimal. */
type Instant = { secondMs: number; steps: number };

function elapsedMs(from: Instant, to: Instant): number {
  return ((to.secondMs - from.secondMs) * 10_000 + (to.steps - from.steps)) / 10_000;
}

/** The row, or what is wrong with it. */
function parseRow(line: string): { at: Instant; contextTokens: number; generatedTokens: number } | string {
  const columns = line.split(',');
  const [timestamp, context, generated] = columns;
  if (columns.length !== 3 || timestamp === undefined || context === undefined || generated === undefined) {
    return `expected 3 columns, got ${columns.length}`;
  }
  const at = parseTimestamp(timestamp);
  if (at === undefined) return `TIMESTAMP must be a time like 2023-11-16 18:17:03.9799600, got ${quote(timestamp)}`;
  const contextTokens = parseCount(context);
  if (contextTokens === undefined) return `ContextTokens must be a whole number >= 0, got ${quote(context)}`;
  const generatedTokens = parseCount(generated);
  if (generatedTokens === undefined) return `GeneratedTokens must be a whole number >= 0, got ${quote(generated)}`;
  return { at, contextTokens, generatedTokens };
}

function parseTimestamp(text: string): Instant | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,7}))?$/.exec(text);
  if (match === null) return undefined;
  const [, day, time, decimals = ''] = match;
  const second = `${day}T${time}`;
  const secondMs = Date.parse(`${second}Z`);
  // Back to text, because Date.parse turns 30 February into 1 or 2 March and 24:00:00 into the next day.
  if (Number.isNaN(secondMs) || !new Date(secondMs).toISOString().startsWith(second)) return undefined;
  return { secondMs, steps: Number(decimals.padEnd(7, '0')) };
}

function parseCount(text: string): number | undefined {
  const count = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(count) ? count : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** The lines of a file without their line ends; an empty last line does not count. */
async function* readLines(path: string): AsyncGenerator<string, void, undefined> {
  let rest = '';
  let isStart = true;
  try {
    for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const text = isStart ? chunk.replace(/^\uFEFF/, '') : chunk;
      isStart = false;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.replace(/\r$/, '');
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`trace file ${path} cannot be read: ${reason}`, { cause });
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}
