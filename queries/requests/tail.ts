import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from '../executions/snapshot.ts';
import { type Reading, type RowKey, readClock } from '../executions/tail.ts';
import { endedStates, type RequestFilter, type RequestSummary, summaryColumns, toConditions } from './list-requests.ts';

/** Which requests a tail reports: those that have ended. */
export interface RequestTailFilter extends Omit<RequestFilter, 'state' | 'traceId' | 'from' | 'until'> {
  /** only those that have failed */
  failures: boolean;
}

/** A request that has ended, with the time at which its end was stored, by the database's clock, as its key. */
export interface EndedRequest extends RowKey {
  request: RequestSummary;
}

/** What a tail asks. */
interface TailQuestion {
  filter: RequestTailFilter;
  /** requests that arrived before this time are not looked at */
  arrivedFrom: Date;
  /** ends that were stored before this time are not looked at */
  from: Date;
}

/** Requests whose end was stored from a given time on, except the known ones, in the order of that. */
export function readUnknownRequests(
  database: Database,
  { known, limit, ...question }: TailQuestion & { known: readonly RowKey[]; limit: number },
): Promise<Reading<EndedRequest>> {
  const ids = known.map(({ id }) => id);
  const times = known.map(({ recordedAt }) => recordedAt);
  return inSnapshot(database, async (snapshot) => {
    const nowMs = await readClock(snapshot);
    const rows = await snapshot.$queryRaw<(RequestSummary & { recordedAt: Date })[]>`
      select ${summaryColumns}, updated_at as "recordedAt" from sluice.request
      where ${conditionsOf(question)} and not exists (
        select from unnest(${ids}::uuid[], ${times}::timestamptz[]) as known (known_id, known_at)
        where known_id = id and known_at = updated_at)
      order by updated_at, id limit ${limit}`;
    return { rows: rows.map(toEnded), nowMs };
  });
}

/** The keys of all requests whose end was stored from a given time on. */
export function readRequestKeys(database: Database, question: TailQuestion): Promise<Reading<RowKey>> {
  return inSnapshot(database, async (snapshot) => {
    const nowMs = await readClock(snapshot);
    const rows = await snapshot.$queryRaw<RowKey[]>`
      select id, updated_at as "recordedAt" from sluice.request where ${conditionsOf(question)}`;
    return { rows, nowMs };
  });
}

/** The requests that arrived last of those that have ended, oldest first. */
export async function readNewestEnded(
  database: Database,
  filter: RequestTailFilter,
  last: number,
): Promise<EndedRequest[]> {
  const rows = await inSnapshot(
    database,
    (snapshot) =>
      snapshot.$queryRaw<(RequestSummary & { recordedAt: Date })[]>`
        select ${summaryColumns}, updated_at as "recordedAt" from sluice.request
        where ${Prisma.join(toTailConditions(filter), ' and ')} order by created_at desc, id desc limit ${last}`,
  );
  return rows.toReversed().map(toEnded);
}

function toEnded({ recordedAt, ...request }: RequestSummary & { recordedAt: Date }): EndedRequest {
  return { id: request.id, recordedAt, request };
}

function conditionsOf({ filter, arrivedFrom, from }: TailQuestion): Prisma.Sql {
  const times = [Prisma.sql`created_at >= ${arrivedFrom}`, Prisma.sql`updated_at >= ${from}`];
  return Prisma.join([...times, ...toTailConditions(filter)], ' and ');
}

/** Literals: the index of failures is for their state only. */
function toTailConditions({ failures, ...filter }: RequestTailFilter): Prisma.Sql[] {
  const states = failures ? ['failed'] : endedStates;
  return [Prisma.raw(`state in (${states.map((state) => `'${state}'`).join(', ')})`), ...toConditions(filter)];
}
