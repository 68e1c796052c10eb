import { expect, test } from 'vitest';
import { sendJobs } from '../../../bench/peers/send-jobs.ts';
import { createRows } from '../../../bench/rows.ts';
import type { ExecutionRecord } from '../../../shared/contracts/execution-schema.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';

const rows = createRows(105, loadConfig({}).producer);

test('sending to a peer: each row goes out once, in jobs and calls of the given size, with so many calls at once', async () => {
  const calls: ExecutionRecord[][][] = [];
  let inFlight = 0;
  let most = 0;
  const sending = { rowsPerJob: 10, jobsPerCall: 3, callsInFlight: 2 };
  await sendJobs(rows, 103, sending, async (jobs) => {
    calls.push(jobs);
    inFlight += 1;
    most = Math.max(most, inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    inFlight -= 1;
  });

  expect(calls.flat(2).map(({ id }) => id)).toEqual(Array.from({ length: 103 }, (_, index) => rows.record(index).id));
  expect(calls.map((jobs) => jobs.map((records) => records.length))).toEqual([
    [10, 10, 10],
    [10, 10, 10],
    [10, 10, 10],
    [10, 3],
  ]);
  expect(most).toBe(2);
});
