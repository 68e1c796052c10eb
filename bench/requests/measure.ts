import { say } from '../../dev/steps.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { createStatement } from '../contenders/statement.ts';
import { type ContenderResult, measureRounds } from '../rounds.ts';
import type { Testbed } from '../testbed.ts';
import { createRequestCopy } from './contenders/copy.ts';
import { createOriginal } from './contenders/original.ts';
import { createRequestSluice } from './contenders/sluice.ts';
import { createRequestRows, type RequestRows } from './request-rows.ts';
import { openRequestTables } from './request-tables.ts';
import { measureSurge, type SurgeResult } from './surge.ts';

/** The contenders with one size of bodies. */
export interface BodySizeResult {
  /** the size of each body, in bytes */
  bodyBytes: number;
  /** of both bodies of a row */
  meanBytes: number;
  sluice: ContenderResult;
  original: ContenderResult;
  storeStatement: ContenderResult;
  copy: ContenderResult;
}

export interface RequestsResult {
  sizes: BodySizeResult[];
  surge: SurgeResult;
}

const kib = 1_024;

/** Sizes of bodies, and the share of the rows that fits into the same time. */
const sizes = [
  { bodyBytes: 2 * kib, share: 1 },
  { bodyBytes: 64 * kib, share: 1 / 20 },
];

/**
 * Lets Sluice and the original's design store the same requests in the same tables, with each size of bodies, and then sends ten
 * times as many of the smaller ones as Sluice can store.
 *
 * @throws Error if a contender lost a row or stored one too many
 */
export async function measureRequests(testbed: Testbed, count: number): Promise<RequestsResult> {
  const tables = await openRequestTables(testbed);
  const sluice = await createRequestSluice(testbed);
  const original = await createOriginal(testbed);
  const storeStatement = createStatement<RequestRows>(testbed, 'the store statement', (database, json) =>
    storeRequests(database, json),
  );
  const results: BodySizeResult[] = [];
  for (const { bodyBytes, share } of sizes) {
    const rows = createRequestRows(Math.round(count * share), bodyBytes);
    say(`${rows.count} requests with bodies of ${bodyBytes / kib} KiB`);
    const copy = await createRequestCopy(testbed, rows);
    const measured = await measureRounds(testbed, tables, rows, { sluice, original, storeStatement, copy });
    results.push({ bodyBytes, meanBytes: rows.meanBytes, ...measured });
  }
  const [small] = results;
  const surge = await measureSurge(testbed, tables, small?.sluice.rowsPerSecond ?? 0);
  return { sizes: results, surge };
}
