import { type Column, type Row, toTextSql } from '../../archive/columns.ts';
import { type Database, Prisma, queryTexts } from '../../shared/platform/postgres/database.ts';
import { type RequestFilter, requestsOf, statesOf, toConditions } from '../requests/list-requests.ts';
import { columnNames, cutByBytes, maxPageRows } from './page-size.ts';

type Exported = Omit<Column, 'type'> & { from: string };

const required = (name: string, kind: Column['kind'], from = `request.${name}`): Exported => ({
  name,
  kind,
  from,
  isNullable: false,
});
const optional = (name: string, kind: Column['kind'], from?: string): Exported => ({
  ...required(name, kind, from),
  isNullable: true,
});

/** A request with its question. Bodies are exported as stored: text, or base64 if the encoding says so. */
const exported: readonly Exported[] = [
  required('id', 'uuid'),
  required('created_at', 'time'),
  required('state', 'text'),
  required('model', 'text'),
  required('method', 'text', 'asked.method'),
  required('path', 'text', 'asked.path'),
  required('service_tier', 'text'),
  required('created_by', 'text'),
  optional('api_key_hash', 'text', 'asked.api_key_hash'),
  optional('daemon_id', 'uuid'),
  required('request_body', 'text', 'asked.body'),
  required('request_encoding', 'text', 'asked.body_encoding'),
  required('request_size', 'bigint', 'asked.body_byte_size'),
  required('request_cut', 'boolean', 'asked.body_cut'),
  optional('response_status', 'integer'),
  optional('response_body', 'text'),
  optional('response_encoding', 'text'),
  required('response_size', 'bigint'),
  required('response_cut', 'boolean'),
  required('response_stream', 'boolean'),
  required('response_incomplete', 'boolean'),
  optional('error', 'text'),
  optional('notes', 'text'),
  optional('provider', 'text'),
  optional('api', 'text'),
  optional('input_tokens', 'bigint'),
  optional('cached_tokens', 'bigint'),
  optional('output_tokens', 'bigint'),
  optional('reasoning_tokens', 'bigint'),
  optional('finish_reason', 'text'),
  optional('tool_calls', 'integer'),
  optional('trace_id', 'text'),
  optional('span_id', 'text'),
  optional('claimed_at', 'time'),
  optional('started_at', 'time'),
  optional('first_token_at', 'time'),
  optional('completed_at', 'time'),
  optional('failed_at', 'time'),
  optional('canceled_at', 'time'),
  required('updated_at', 'time'),
  optional('stored_at', 'time'),
];

/** The columns of an export of requests. */
export const requestColumns: readonly Column[] = exported.map(({ from, ...column }) => ({ ...column, type: '' }));

/**
 * Requests by `(created_at, id)`, page by page, each with a statement of its own. Rows that are stored before the export
 * reaches their time are included, later ones are not. No request appears twice.
 */
export async function* exportRequests(database: Database, filter: RequestFilter): AsyncGenerator<readonly Row[]> {
  const states = statesOf(filter);
  if (states.length === 0) return;
  const names = columnNames(exported.length);
  const texts = Prisma.raw(
    exported.map(({ kind, from }, index) => `${toTextSql(kind, from)} as ${names[index]}`).join(', '),
  );
  const isIn = Prisma.raw(`state in (${states.map((state) => `'${state}'`).join(', ')})`);
  let limit = maxPageRows;
  let after: { createdAt: string; id: string } | null = null;
  for (;;) {
    const conditions: Prisma.Sql[] = [...toConditions(filter), isIn];
    if (after !== null)
      conditions.push(Prisma.sql`(created_at, id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`);
    const page: Prisma.Sql = Prisma.sql`
      select request.created_at, request.id, ${texts}
      from (select * from ${requestsOf(filter)} where ${Prisma.join(conditions, ' and ')}
        order by created_at, id limit ${limit}) as request
      join sluice.request_template as asked on asked.id = request.template_id`;
    const rows = await queryTexts(database, cutByBytes(page.text, names, 'created_at, id'), page.values);
    if (rows.length > 0) yield rows.map((row) => row.slice(1));
    const [found, id, createdMs] = rows.at(-1) ?? [];
    const isWhole = rows.length === Number(found ?? 0);
    if (isWhole && rows.length < limit) return;
    after = { createdAt: new Date(Number(createdMs)).toISOString(), id: id ?? '' };
    // Bodies are large: the statement reads no more of them than about fit into a page.
    limit = isWhole ? Math.min(maxPageRows, limit * 2) : Math.max(1, rows.length);
  }
}
