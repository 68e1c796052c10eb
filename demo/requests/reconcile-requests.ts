/** A request by what was accepted of it. */
export interface SentRequest {
  /** its beginning, its end, and its end once more */
  records: number;
  /** its beginning is one of them */
  isBegun: boolean;
  /** of its end; null when that is not one of them */
  statusCode: number | null;
}

/** The row of a request. */
export interface FoundRequest {
  state: string;
  statusCode: number | null;
}

/** What the producer says about one run of the demo. */
export interface RequestsReported {
  /** records handed to the sender */
  reported: number;
  /** of them, those that found no room until the gateway stopped */
  rejected: number;
  /** of those accepted, given up by it */
  dropped: number;
  /** the accepted ones, by the id of the request */
  sent: ReadonlyMap<string, SentRequest>;
}

/** What the database and the queue say about it. */
export interface RequestsFound {
  /** by the id of the request */
  rows: ReadonlyMap<string, FoundRequest>;
  /** records in jobs that wait, run or are delayed, by the id of the request */
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
  /** rows that a beginning made and an end has ended */
  updated: number;
  /** ends that were sent once more, of requests whose row is there */
  duplicates: number;
  dropped: number;
  dead: number;
  inFlight: number;
  /** rows that have ended otherwise than was sent, and rows of requests that were not sent */
  wrong: number;
  /** sent less all that ended somewhere: 0, or something was lost (above 0) or stored twice (below) */
  unaccounted: number;
  reconciled: boolean;
}

/**
 * Compares what the gateway reported with what is there, request by request. Of a request's records the first makes its
 * row; the end of one that had begun changes it, also where both came in one statement; an end that was sent again does
 * nothing. Reconciled when every record is accounted for, and every row says how its request ended.
 */
export function reconcileRequests(
  { reported, rejected, dropped, sent }: RequestsReported,
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
  const allDropped = rejected + dropped;
  const unaccounted = reported - stored - accounts.duplicates - allDropped - dead - inFlight;
  return {
    sent: reported,
    stored,
    inserted: accounts.inserted,
    updated: accounts.updated,
    duplicates: accounts.duplicates,
    dropped: allDropped,
    dead,
    inFlight,
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
