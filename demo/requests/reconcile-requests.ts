import { lostInDoubt } from '../add-up.ts';

/** A request, as far as its records were accepted. */
export interface SentRequest {
  /** its start, its end, and its repeated end */
  records: number;
  /** the start is one of them */
  isBegun: boolean;
  /** of the end; null if the end is not one of them */
  statusCode: number | null;
}

/** The row of a request. */
export interface FoundRequest {
  state: string;
  statusCode: number | null;
}

/** What the producer reports about one run of the demo. */
export interface RequestsReported {
  /** records passed to the sender */
  reported: number;
  /** those that had found no room when the gateway stopped */
  rejected: number;
  /** accepted records that the sender gave up */
  dropped: number;
  /** those that were refused for their content, by Redis or by the gateway. @default 0 */
  refused?: number;
  /** those that the sender gave up after it had sent them. @default 0 */
  inDoubt?: number;
  /** the accepted records, by the id of the request */
  sent: ReadonlyMap<string, SentRequest>;
}

/** What the database and the queue contain of it. */
export interface RequestsFound {
  /** by the id of the request */
  rows: ReadonlyMap<string, FoundRequest>;
  /** records in jobs that are waiting, active or delayed, by the id of the request */
  inFlight: ReadonlyMap<string, number>;
  /** dead letters, and records in jobs that failed for good, by the id of the request */
  dead: ReadonlyMap<string, number>;
}

/** Every record of a run, by where it ended. */
export interface RequestAccounts {
  sent: number;
  /** inserted and updated */
  stored: number;
  /** rows */
  inserted: number;
  /** rows that a start inserted and an end updated */
  updated: number;
  /** repeated ends, of requests whose row exists */
  duplicates: number;
  dropped: number;
  dead: number;
  inFlight: number;
  /** for their content, by Redis or by the gateway */
  refused: number;
  /** rows whose end differs from what was sent, and rows of requests that were not sent */
  wrong: number;
  /** sent minus all that ended somewhere: 0, or something was lost (above 0) or stored twice (below) */
  unaccounted: number;
  reconciled: boolean;
}

/**
 * Compares what the gateway reported with what is stored, request by request. The first record of a request inserts its row; the
 * end of a started request updates it, even if both are in one statement; a repeated end changes nothing. Reconciled if every
 * record is accounted for, and every row says how its request ended.
 */
export function reconcileRequests(
  { reported, rejected, dropped, refused = 0, inDoubt = 0, sent }: RequestsReported,
  found: RequestsFound,
): RequestAccounts {
  const strangers = [...found.rows.keys()].filter((requestId) => !sent.has(requestId));
  const accounts = { inserted: 0, updated: 0, duplicates: 0, wrong: strangers.length };
  for (const [requestId, request] of sent) {
    const row = found.rows.get(requestId);
    const arrived = request.records - (found.inFlight.get(requestId) ?? 0) - (found.dead.get(requestId) ?? 0);
    if (row === undefined || arrived <= 0) continue;
    const hasEnded = row.statusCode !== null;
    const repeats = Math.max(0, request.records - (request.isBegun ? 2 : 1));
    const updated = request.isBegun && hasEnded && arrived > 1 ? 1 : 0;
    accounts.inserted += 1;
    accounts.updated += updated;
    accounts.duplicates += Math.min(repeats, arrived - 1 - updated);
    if (hasEnded && !saysSo(row, request.statusCode)) accounts.wrong += 1;
  }
  const stored = accounts.inserted + accounts.updated;
  const inFlight = sumOf(found.inFlight);
  const dead = sumOf(found.dead);
  const missing = reported - stored - accounts.duplicates - rejected - dropped - refused - dead - inFlight;
  const lost = lostInDoubt(missing, inDoubt);
  const unaccounted = missing - lost;
  return {
    sent: reported,
    stored,
    inserted: accounts.inserted,
    updated: accounts.updated,
    duplicates: accounts.duplicates,
    dropped: rejected + dropped + lost,
    dead,
    inFlight,
    refused,
    wrong: accounts.wrong,
    unaccounted,
    reconciled: unaccounted === 0 && accounts.wrong === 0,
  };
}

function saysSo(row: FoundRequest, statusCode: number | null): boolean {
  if (statusCode === null || row.statusCode !== statusCode) return false;
  return row.state === (statusCode >= 200 && statusCode <= 299 ? 'completed' : 'failed');
}

function sumOf(records: ReadonlyMap<string, number>): number {
  return [...records.values()].reduce((sum, count) => sum + count, 0);
}
