import {
  findRequestOddity,
  findRequestProblem,
  type RequestRecord,
} from '../../shared/contracts/completed-request-schema.ts';
import type { QueueDefinition, Unstored } from '../ingest/queue-definition.ts';
import { completedRequestCopy } from './copy.ts';
import { goodRequests } from './good-records.ts';
import { requestKey } from './request-key.ts';
import { type EndedRequests, type RequestOutcome, storeRequests } from './store.ts';

/** Of a body of control characters, each of which JSON writes as `\\u0001`. */
const longestEscape = 6;
const bodies = 2;

/**
 * Requests to models: rows that are inserted, or made by a beginning and ended by a completion. A completion whose row
 * waits to be worked on by somebody else is tried for up to a minute.
 */
export const completedRequestQueue: QueueDefinition = {
  queue: 'completed-request',
  maxRecordBytes: ({ requests }) => bodies * longestEscape * requests.maxBodyBytes,
  findProblem: findRequestProblem,
  findOddity: (record, latest) => findRequestOddity(record as RequestRecord, latest),
  keyOf: requestKey,
  retryPolicy: { tries: 5, backoff: { baseMs: 2_000, maxMs: 30_000 } },
  goodRecords: goodRequests,
  copy: completedRequestCopy,
  async store(door, json, _records, accounted) {
    const ended = await storeRequests(door, json, accounted);
    const outcomes: Partial<Record<RequestOutcome, number>> = {};
    for (const { outcome, indexes } of ended) {
      if (outcome !== 'locked') outcomes[outcome] = (outcomes[outcome] ?? 0) + indexes.length;
    }
    return { outcomes, unstored: ended.flatMap(toUnstored) };
  },
};

function toUnstored({ outcome, state, indexes }: EndedRequests): Unstored[] {
  const cause = causeOf(outcome, state);
  return cause === null ? [] : indexes.map((index) => ({ index, code: outcome, ...cause }));
}

function causeOf(outcome: RequestOutcome, state: string | null): Pick<Unstored, 'reason' | 'disposition'> | null {
  switch (outcome) {
    case 'conflict':
      return {
        reason: state === null ? 'its row kept changing' : `its row is in state ${state}`,
        disposition: 'retryLimited',
      };
    case 'locked':
      return { reason: 'its row is locked by another transaction', disposition: 'retryLater' };
    case 'foreign':
      return { reason: 'its request belongs to another creator', disposition: 'deadLetter' };
    case 'inserted':
    case 'updated':
    case 'duplicate':
    case 'tombstoned':
      return null;
  }
}
