import { UsageError } from '../../shared/platform/errors.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from '../executions/snapshot.ts';
import { formsOf, hasText } from './body-text.ts';
import {
  checkLimit,
  type RequestFilter,
  type RequestPage,
  type RequestSummary,
  requestsOf,
  statesOf,
  summaryColumns,
  toConditions,
} from './list-requests.ts';
import { parseSearchCursor, type SearchPosition, toSearchCursor } from './search-cursor.ts';

/** What an answer of a search has looked through. */
export interface Searched {
  requests: number;
  /** of their stored bodies */
  bytes: number;
  /** when the oldest of them arrived; null: there was none */
  since: Date | null;
}

/** The most requests, and the most bytes of bodies, that one answer looks through; but always one request. */
export const mostSearched = { requests: 2_000, bytes: 32 * 1_024 * 1_024 } as const;

const maxTextChars = 512;

interface Candidate extends SearchPosition {
  bytes: number;
}

/**
 * Searches the bodies of requests for a text, exactly as it is written, newest first. Each answer looks through a limited number of
 * requests, so a page may be short or empty and yet have a cursor to go on with. The pages together contain each request once.
 *
 * @param options.filter which requests to look through
 * @param options.text 1 to 512 characters
 * @param options.limit requests in a page, 1 to 200
 * @throws UsageError if the text or the limit is out of range, or the cursor is invalid
 */
export async function searchRequests(
  database: Database,
  options: {
    filter?: RequestFilter;
    text: string;
    limit: number;
    cursor?: string | null;
    timeoutMs?: number;
    most?: { requests: number; bytes: number };
  },
): Promise<RequestPage & { searched: Searched }> {
  const { filter = {}, text, limit, most = mostSearched } = options;
  checkLimit(limit);
  if (text === '' || text.length > maxTextChars || text.includes('\0') || !text.isWellFormed())
    throw new UsageError(`the text to search for must have 1 to ${maxTextChars} characters, none of them NUL`);
  const after = options.cursor == null ? null : parseSearchCursor(options.cursor);
  return inSnapshot(
    database,
    async (snapshot) => {
      const candidates = await snapshot.$queryRaw<Candidate[]>(toCandidates(filter, after, most.requests + 1));
      const read = withinBytes(candidates.slice(0, most.requests), most.bytes);
      const last = read.at(-1);
      if (last === undefined) return { requests: [], cursor: null, searched: { requests: 0, bytes: 0, since: null } };
      const found = await snapshot.$queryRaw<RequestSummary[]>(toMatches(read, formsOf(text), limit + 1));
      // Where the page is full, what comes after its last request has yet to be looked through.
      const lastShown = found.length > limit ? found[limit - 1] : undefined;
      const end = lastShown === undefined ? read.length : read.findIndex(({ id }) => id === lastShown.id) + 1;
      const through = read.slice(0, end);
      const lastRead = through.at(-1) ?? last;
      return {
        requests: found.slice(0, limit),
        cursor: end < candidates.length ? toSearchCursor(lastRead) : null,
        searched: {
          requests: through.length,
          bytes: through.reduce((sum, { bytes }) => sum + bytes, 0),
          since: lastRead.createdAt,
        },
      };
    },
    options.timeoutMs,
  );
}

/** The first of them, up to so many bytes. */
export function withinBytes<T extends { bytes: number }>(candidates: readonly T[], most: number): T[] {
  let sum = 0;
  const tooMany = candidates.findIndex(({ bytes }, index) => {
    sum += bytes;
    return index > 0 && sum > most;
  });
  return tooMany === -1 ? [...candidates] : candidates.slice(0, tooMany);
}

/** The next requests to look through, and the size of their bodies, for which PostgreSQL does not read them. */
function toCandidates(filter: RequestFilter, after: SearchPosition | null, rows: number): Prisma.Sql {
  const conditions = [...toConditions(filter), isIn(filter)];
  if (after !== null) conditions.push(Prisma.sql`(created_at, id) < (${after.createdAt}, ${after.id}::uuid)`);
  return Prisma.sql`select request.id, request.created_at as "createdAt", (response_bytes + octet_length(asked.body))::float8 as bytes
    from (
      select id, created_at, template_id, coalesce(octet_length(response_body), 0) + coalesce(octet_length(error), 0) as response_bytes
      from ${requestsOf(filter)} where ${Prisma.join(conditions, ' and ')} order by created_at desc, id desc limit ${rows}
    ) as request
    join sluice.request_template as asked on asked.id = request.template_id
    order by request.created_at desc, request.id desc`;
}

function isIn(filter: RequestFilter): Prisma.Sql {
  const states = statesOf(filter);
  return states.length === 0 ? Prisma.raw('false') : Prisma.sql`state in (${Prisma.join([...states])})`;
}

function toMatches(read: readonly Candidate[], forms: readonly string[], rows: number): Prisma.Sql {
  return Prisma.sql`select ${summaryColumns}
    from (
      select request.*
      from sluice.request join sluice.request_template as asked on asked.id = request.template_id
      where request.id = any(${read.map(({ id }) => id)}::uuid[]) and ${hasText(forms)}
    ) as request
    order by created_at desc, id desc limit ${rows}`;
}
