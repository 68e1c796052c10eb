/** What a worker may have in hand. */
export interface JobBudgetLimits {
  maxJobs: number;
  /** of job data */
  maxBytes: number;
}

/** How fast a size that was seen is forgotten: a tenth with each job. */
const forgetting = 0.1;

/**
 * How many jobs a worker may take at once. BullMQ fetches jobs by number, whatever their size, so the number follows the
 * size that jobs have: a large one counts at once, and is forgotten slowly. One job is always allowed.
 */
export function createJobBudget({ maxJobs, maxBytes }: JobBudgetLimits) {
  let expectedBytes = 0;
  return {
    /** Takes the size of a job into account. @returns how many jobs may be in hand from now on */
    note(bytes: number): number {
      expectedBytes = Math.max(bytes, expectedBytes + (bytes - expectedBytes) * forgetting);
      return Math.max(1, Math.min(maxJobs, Math.floor(maxBytes / Math.max(1, expectedBytes))));
    },
  };
}
