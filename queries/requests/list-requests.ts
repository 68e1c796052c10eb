import type { ServiceTier } from '../../shared/contracts/completed-request.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { endpointOfRequest } from './dimensions.ts';
import { type ListPart, listParts, parseCursor, type RequestPosition, toCursor } from './request-cursor.ts';

/** The states that a request can have. */
export const requestStates = ['processing', 'claimed', 'pending', 'completed', 'failed', 'canceled'] as const;
export type RequestState = (typeof requestStates)[number];

/** The first digit of a response's status. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof statusClasses)[number];

/** Which requests to list; a field that is left out does not restrict them. */
export interface RequestFilter {
  createdBy?: string;
  model?: string;
  /** the path of the API */
  endpoint?: string;
  provider?: string;
  /** the shape of the bodies */
  api?: string;
  statusClass?: StatusClass;
  serviceTier?: ServiceTier;
  state?: RequestState;
  traceId?: string;
  /** arrived at or after this time */
  from?: Date;
  /** arrived before this time */
  until?: Date;
}

/** A request without its bodies. Sizes are bytes before truncation. */
export interface RequestSummary {
  id: string;
  state: RequestState;
  model: string;
  serviceTier: ServiceTier;
  createdBy: string;
  /** null if it has no response yet */
  responseStatus: number | null;
  responseBytes: number;
  isStream: boolean;
  isIncomplete: boolean;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  failedAt: Date | null;
  /** from its start to its end, completed or failed; null while it is running */
  durationMs: number | null;
  notes: string | null;
  /** the span of OpenTelemetry that it ran in */
  traceId: string | null;
  spanId: string | null;
}

/** A page of a list. */
export interface RequestPage {
  requests: RequestSummary[];
  /** for the next page; null on the last page */
  cursor: string | null;
}

/** The most requests in a page. */
const maxLimit = 200;

/**
 * Lists requests: those in progress first (processing, claimed, pending), then those that have ended, newest first within
 * each part. The pages together contain each request once. What arrives meanwhile sorts before the rows that were read
 * already, and moves nothing. A request that ends between two pages may appear again, but none is left out.
 *
 * @param options.limit requests in a page, 1 to 200
 * @param options.cursor as returned with the previous page
 * @throws UsageError if the limit is out of range or the cursor is invalid
 */
export async function listRequests(
  database: Database,
  options: { filter?: RequestFilter; limit: number; cursor?: string | null },
): Promise<RequestPage> {
  const { filter = {}, limit } = options;
  checkLimit(limit);
  const after = options.cursor == null ? null : parseCursor(options.cursor);
  const statement = toListStatement(filter, limit + 1, after);
  if (statement === null) return { requests: [], cursor: null };
  const found = await database.$queryRaw<(RequestSummary & { part: ListPart })[]>(statement);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    requests: page.map(({ part, ...request }) => request),
    cursor: last !== undefined && found.length > limit ? toCursor(last) : null,
  };
}

/** @throws UsageError if it is not a number of requests that a page may have */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new UsageError(`limit is ${limit}; accepted: 1 to ${maxLimit}`);
}

/**
 * The statement for a page: one index scan with a limit for each part, instead of sorting all requests by their part. Null if
 * the filter leaves no state.
 */
export function toListStatement(filter: RequestFilter, rows: number, after: RequestPosition | null): Prisma.Sql | null {
  const firstPart = after === null ? 0 : listParts.indexOf(after.part);
  const branches = listParts.slice(firstPart).flatMap((part) => {
    const states = inPart(part, statesOf(filter));
    if (states.length === 0) return [];
    const conditions = [...toConditions(filter), isIn(states)];
    if (after?.part === part) conditions.push(Prisma.sql`(created_at, id) < (${after.createdAt}, ${after.id}::uuid)`);
    return [
      Prisma.sql`(select ${listParts.indexOf(part)} as rank, ${part} as part, ${summaryColumns} from ${requestsOf(filter)}
      where ${Prisma.join(conditions, ' and ')} order by created_at desc, id desc limit ${rows})`,
    ];
  });
  if (branches.length === 0) return null;
  return Prisma.sql`select part, ${names} from (${Prisma.join(branches, ' union all ')}) as listed
    order by rank, "createdAt" desc, id desc limit ${rows}`;
}

/**
 * The requests, or those of the trace, which are looked for first, by their index: until the table is analyzed, PostgreSQL takes a
 * trace to be a large part of it, and would look through all requests in the order of their arrival.
 */
export function requestsOf({ traceId }: RequestFilter): Prisma.Sql {
  return traceId === undefined
    ? Prisma.sql`sluice.request`
    : Prisma.sql`(select * from sluice.request where trace_id = ${traceId} offset 0) as of_trace`;
}

/** Without the bodies, which PostgreSQL stores out of line if they are large. */
const columnOf: Record<keyof RequestSummary, string> = {
  id: 'id',
  state: 'state',
  model: 'model',
  serviceTier: 'service_tier',
  createdBy: 'created_by',
  responseStatus: 'response_status',
  responseBytes: 'response_size::float8',
  isStream: 'response_stream',
  isIncomplete: 'response_incomplete',
  createdAt: 'created_at',
  startedAt: 'started_at',
  completedAt: 'completed_at',
  failedAt: 'failed_at',
  durationMs: '(extract(epoch from coalesce(completed_at, failed_at) - started_at) * 1000)::float8',
  notes: 'notes',
  traceId: 'trace_id',
  spanId: 'span_id',
};
export const summaryColumns = Prisma.raw(
  Object.entries(columnOf)
    .map(([field, column]) => `${column} as "${field}"`)
    .join(', '),
);
const names = Prisma.raw(
  Object.keys(columnOf)
    .map((field) => `"${field}"`)
    .join(', '),
);

export const endedStates: readonly RequestState[] = ['completed', 'failed', 'canceled'];

/** The states that a filter leaves. A response makes a request completed with 2xx and failed otherwise. */
export function statesOf({ state, statusClass }: RequestFilter): readonly RequestState[] {
  const byClass =
    statusClass === undefined ? requestStates : ([statusClass === '2xx' ? 'completed' : 'failed'] as const);
  return byClass.filter((one) => state === undefined || one === state);
}

function inPart(part: ListPart, states: readonly RequestState[]): RequestState[] {
  return states.filter((state) => (part === 'ended' ? endedStates.includes(state) : state === part));
}

/** Literals instead of parameters: the indexes that serve this are partial, for some states only. */
function isIn(states: readonly RequestState[]): Prisma.Sql {
  return Prisma.raw(`state in (${states.map((state) => `'${state}'`).join(', ')})`);
}

/** The part of a filter that PostgreSQL has to check, except for the states. */
export function toConditions(filter: RequestFilter): Prisma.Sql[] {
  const { createdBy, model, endpoint, provider, api, statusClass, serviceTier, from, until } = filter;
  const conditions: Prisma.Sql[] = [];
  if (createdBy !== undefined) conditions.push(Prisma.sql`created_by = ${createdBy}`);
  if (model !== undefined) conditions.push(Prisma.sql`model = ${model}`);
  if (provider !== undefined) conditions.push(Prisma.sql`provider = ${provider}`);
  if (api !== undefined) conditions.push(Prisma.sql`api = ${api}`);
  if (endpoint !== undefined) conditions.push(Prisma.sql`${endpointOfRequest} = ${endpoint}`);
  if (serviceTier !== undefined) conditions.push(Prisma.sql`service_tier = ${serviceTier}`);
  if (from !== undefined) conditions.push(Prisma.sql`created_at >= ${from}`);
  if (until !== undefined) conditions.push(Prisma.sql`created_at < ${until}`);
  if (statusClass !== undefined) {
    const first = Number(statusClass[0]) * 100;
    conditions.push(Prisma.sql`response_status between ${first} and ${first + 99}`);
  }
  return conditions;
}
