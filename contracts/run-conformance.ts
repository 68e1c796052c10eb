import { isDeepStrictEqual } from 'node:util';
import {
  type ConformanceCase,
  type Destination,
  type Expectation,
  expectedOf,
  type Face,
  generate,
  jsonOf,
} from './conformance-case.ts';

/** Something that a service sends. */
export interface Delivery {
  /** the name of its case */
  case: string;
  to: Destination;
  /** the JSON text of the input */
  json: string;
}

/** Something that was not accepted. */
export interface Refusal {
  case: string;
  /** `record`: all of it; null: the sender cannot tell */
  field: string | null;
}

/** A way from a service to the tables. */
export interface Sender {
  face: Face;
  /** Resolves when what is sent next comes after it. */
  send(delivery: Delivery): Promise<void>;
  /** Resolves when everything that was sent is in its table or refused. */
  finish(): Promise<readonly Refusal[]>;
}

export type Row = Record<string, unknown>;

/** Sends SQL to the database that the rows go to. */
export type Query = (sql: string, parameters: readonly string[]) => Promise<Row[]>;

/** Runs the kit through a sender. @returns what is not as expected, a line for each; empty when all is well */
export async function runConformance(
  cases: readonly ConformanceCase[],
  { sender, query }: { sender: Sender; query: Query },
): Promise<string[]> {
  for (const { name, send } of cases)
    for (const sending of send) await sender.send({ case: name, to: sending.to, json: jsonOf(sending) });
  const refusals = await sender.finish();
  const problems: string[] = [];
  for (const each of cases) {
    const { name, send, find } = each;
    const expected = expectedOf(each, sender.face);
    const rows = await readRows(query, send[0]?.to ?? 'executions', find);
    const refused = refusals.filter((refusal) => refusal.case === name);
    problems.push(
      ...[...compareRefusals(expected, refused), ...compareRows(expected, rows)].map((what) => `${name}: ${what}`),
    );
  }
  return problems;
}

/** The columns of a request's template beside its own; sizes as numbers that every client reads as such. */
const requestColumns = `stored.*, stored.response_size::float8 as response_size,
  stored.input_tokens::float8 as input_tokens, stored.cached_tokens::float8 as cached_tokens,
  stored.output_tokens::float8 as output_tokens, stored.reasoning_tokens::float8 as reasoning_tokens, template.path as endpoint,
  template.body as request_body, template.body_encoding as request_encoding,
  template.body_byte_size::float8 as request_size, template.body_cut as request_cut, template.api_key_hash`;

function readRows(query: Query, to: Destination, find: Record<string, string>): Promise<Row[]> {
  const [columns, table] =
    to === 'executions'
      ? ['stored.*', 'strategy_execution_log as stored']
      : [requestColumns, 'request as stored join request_template as template on template.id = stored.template_id'];
  const conditions = Object.keys(find).map((column, index) => `stored.${column}::text = $${index + 1}`);
  return query(`select ${columns} from ${table} where ${conditions.join(' and ')}`, Object.values(find));
}

function compareRefusals({ refused }: Expectation, refusals: readonly Refusal[]): string[] {
  if (refused === undefined) return refusals.map(({ field }) => `refused because of ${JSON.stringify(field)}`);
  const [first] = refusals;
  if (first === undefined) return [`not refused, though ${JSON.stringify(refused)} is wrong`];
  // Who cannot tell the field has at least refused it.
  if (first.field !== null && first.field !== refused)
    return [`refused because of ${JSON.stringify(first.field)} in place of ${JSON.stringify(refused)}`];
  return [];
}

function compareRows({ row: expected, notes }: Expectation, rows: readonly Row[]): string[] {
  if (rows.length > 1) return [`has ${rows.length} rows`];
  const [row] = rows;
  if (expected === null) return row === undefined ? [] : ['has a row'];
  if (row === undefined) return ['has no row'];
  const different = Object.entries(expected).flatMap(([column, value]) => {
    const [stored, wanted] = [toJson(row[column]), generate(value)];
    return isDeepStrictEqual(stored, wanted) ? [] : [`${column} is ${brief(stored)} in place of ${brief(wanted)}`];
  });
  return [...different, ...compareNotes(notes, row['notes'])];
}

function compareNotes(expected: readonly string[] | undefined, stored: unknown): string[] {
  // A gateway with tokens notes who has sent the record.
  const notes = String(stored ?? '').replace(/^sender: [^;]*(?:; )?/, '');
  if (expected?.length === 0) return notes === '' ? [] : [`has notes: ${brief(notes)}`];
  return (expected ?? [])
    .filter((text) => !notes.includes(text))
    .map((text) => `the notes ${brief(notes)} do not say ${JSON.stringify(text)}`);
}

/** A column as README.md says: times as ISO 8601, numbers as numbers. */
function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'no column';
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
