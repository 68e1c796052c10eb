import { describe, expect, test } from 'vitest';
import {
  type FoundRequest,
  type RequestsFound,
  reconcileRequests,
  type SentRequest,
} from '../../../demo/requests/reconcile-requests.ts';

const completed: FoundRequest = { state: 'completed', statusCode: 200 };
const failed: FoundRequest = { state: 'failed', statusCode: 500 };
const processing: FoundRequest = { state: 'processing', statusCode: null };
const plain: SentRequest = { records: 1, isBegun: false, statusCode: 200 };
const background: SentRequest = { records: 2, isBegun: true, statusCode: 200 };

interface Run {
  sent?: Record<string, SentRequest>;
  rows?: Record<string, FoundRequest>;
  inFlight?: Record<string, number>;
  dead?: Record<string, number>;
  rejected?: number;
  dropped?: number;
}

/** Reconciles a run; what it reported is what was accepted and what was rejected. */
function reconcile({ sent = {}, rows = {}, inFlight = {}, dead = {}, rejected = 0, dropped = 0 }: Run) {
  const accepted = Object.values(sent).reduce((sum, { records }) => sum + records, 0);
  const toMap = <V>(values: Record<string, V>) => new Map(Object.entries(values));
  const found: RequestsFound = { rows: toMap(rows), inFlight: toMap(inFlight), dead: toMap(dead) };
  return reconcileRequests({ reported: accepted + rejected, rejected, dropped, sent: toMap(sent) }, found);
}

describe('reconcile requests', () => {
  test('reconcile requests: a run of every kind, all of it stored, adds up', () => {
    const accounts = reconcile({
      sent: {
        a: plain,
        b: { ...plain, statusCode: 500 },
        c: background,
        d: { ...plain, records: 2 },
        e: { ...background, records: 3 },
        f: { records: 1, isBegun: true, statusCode: null },
      },
      rows: { a: completed, b: failed, c: completed, d: completed, e: completed, f: processing },
    });
    expect(accounts).toEqual({
      sent: 10,
      stored: 8,
      inserted: 6,
      updated: 2,
      duplicates: 2,
      dropped: 0,
      dead: 0,
      inFlight: 0,
      refused: 0,
      wrong: 0,
      unaccounted: 0,
      reconciled: true,
    });
  });

  test('reconcile requests: a request without its row is unaccounted for, its repeat too', () => {
    expect(reconcile({ sent: { a: plain, b: { ...plain, records: 2 } } })).toMatchObject({
      unaccounted: 3,
      reconciled: false,
    });
  });

  test('reconcile requests: an end that a row in processing never got is unaccounted for', () => {
    expect(reconcile({ sent: { a: background }, rows: { a: processing } })).toMatchObject({
      inserted: 1,
      updated: 0,
      duplicates: 0,
      unaccounted: 1,
      reconciled: false,
    });
  });

  test('reconcile requests: what is dropped, rejected, dead or in flight is accounted for', () => {
    const accounts = reconcile({
      sent: { a: plain, b: plain, c: background, d: { ...plain, records: 2 }, e: plain },
      rows: { a: completed, c: processing, d: completed },
      inFlight: { c: 1, d: 1 },
      dead: { b: 1 },
      rejected: 2,
      dropped: 1,
    });
    expect(accounts).toMatchObject({ sent: 9, stored: 3, duplicates: 0, dropped: 3, dead: 1, inFlight: 2 });
    expect(accounts).toMatchObject({ unaccounted: 0, reconciled: true });
  });

  test('reconcile requests: a row with another end than was sent is wrong, and so is one that nobody sent', () => {
    for (const row of [failed, { ...completed, statusCode: 201 }, { ...completed, state: 'failed' }])
      expect(reconcile({ sent: { a: plain }, rows: { a: row } })).toMatchObject({ wrong: 1, reconciled: false });
    expect(reconcile({ sent: { a: plain }, rows: { a: completed, b: completed } })).toMatchObject({
      wrong: 1,
      reconciled: false,
    });
  });
});
