import { describe, expect, test } from 'vitest';
import type { Accounts } from '../../../local/demo/reconcile.ts';
import type { RequestAccounts } from '../../../local/demo/reconcile-requests.ts';
import { toLines } from '../../../local/demo/result-lines.ts';

const executions: Accounts = {
  sent: 10,
  stored: 6,
  sampledOut: 4,
  dropped: 0,
  dead: 0,
  inFlight: 0,
  failures: 1,
  storedFailures: 1,
  unaccounted: 0,
  reconciled: true,
};
const requests: RequestAccounts = {
  sent: 5,
  stored: 4,
  inserted: 3,
  updated: 1,
  duplicates: 1,
  dropped: 0,
  dead: 0,
  inFlight: 0,
  wrong: 0,
  unaccounted: 0,
  reconciled: true,
};

describe('result lines', () => {
  test('result lines: a line for each kind of traffic, and the verdict', () => {
    expect(toLines({ ...executions, requests, seconds: 1.5 })).toEqual([
      'executions: sent 10 = stored 6 + sampled out 4 + dropped 0 + dead 0 + in flight 0',
      'requests: sent 5 = stored 4 (inserted 3 + updated 1) + duplicates 1 + dropped 0 + dead 0 + in flight 0',
      'the accounts add up, after 1.5 s',
    ]);
    expect(toLines({ ...executions, requests: null, seconds: 1.5 })).toHaveLength(2);
  });

  test('result lines: what does not add up is named', () => {
    const lost = { ...requests, stored: 2, unaccounted: 2, wrong: 1, reconciled: false };
    expect(toLines({ ...executions, reconciled: false, requests: lost, seconds: 1 }).at(-1)).toBe(
      'the accounts do NOT add up: 2 records of requests unaccounted for, 1 requests stored wrongly',
    );
    expect(toLines({ ...executions, unaccounted: -1, reconciled: false, requests, seconds: 1 }).at(-1)).toBe(
      'the accounts do NOT add up: -1 executions unaccounted for',
    );
  });
});
