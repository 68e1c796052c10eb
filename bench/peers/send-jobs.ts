import type { ExecutionRecord } from '../../shared/contracts/execution-schema.ts';
import type { Rows } from '../rows.ts';

/** How a producer hands its rows to a queue. */
export interface Sending {
  rowsPerJob: number;
  jobsPerCall: number;
  /** the producer prepares one call while the queue takes another */
  callsInFlight: number;
}

/** Hands the first `count` rows to a queue. */
export async function sendJobs(
  rows: Rows,
  count: number,
  { rowsPerJob, jobsPerCall, callsInFlight }: Sending,
  send: (jobs: ExecutionRecord[][]) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const takeJob = (): ExecutionRecord[] => {
    const size = Math.min(rowsPerJob, count - next);
    next += size;
    return Array.from({ length: size }, (_, offset) => rows.record(next - size + offset));
  };
  const sendCalls = async (): Promise<void> => {
    while (next < count) {
      const jobs: ExecutionRecord[][] = [];
      while (next < count && jobs.length < jobsPerCall) jobs.push(takeJob());
      await send(jobs);
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, sendCalls));
}
