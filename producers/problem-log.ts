/** What the SDK needs of a logger; pino's and console's fit. */
export interface ProducerLogger {
  warn(fields: object, message: string): void;
}

/** The kinds of trouble that come once per record and must not fill the log. */
export type Problem = 'dropped' | 'send_failed' | 'metrics_failed';

const messages: Record<Problem, string> = {
  dropped: 'execution records dropped',
  send_failed: 'chunks could not be added to the queue, trying again',
  metrics_failed: 'execution metrics could not be updated',
};

const intervalMs = 1_000;

/**
 * Logs each kind of problem at most once a second, with the number since the last line: the first one at once, those
 * of the following second together at its end.
 */
export function createProblemLog(logger: ProducerLogger) {
  const counts = new Map<Problem, { records: number; lastError: Error | null }>();
  const quiet = new Map<Problem, NodeJS.Timeout>();

  const write = (problem: Problem): void => {
    const found = counts.get(problem);
    if (found === undefined) return;
    counts.delete(problem);
    const error = found.lastError === null ? {} : { err: found.lastError };
    try {
      logger.warn({ count: found.records, ...error }, messages[problem]);
    } catch {
      // A logger that throws must not reach the scoring code.
    }
  };

  const startQuietTime = (problem: Problem): void => {
    const timer = setTimeout(() => {
      quiet.delete(problem);
      if (!counts.has(problem)) return;
      write(problem);
      startQuietTime(problem);
    }, intervalMs);
    timer.unref();
    quiet.set(problem, timer);
  };

  return {
    report(problem: Problem, error: Error | null): void {
      const { records } = counts.get(problem) ?? { records: 0 };
      counts.set(problem, { records: records + 1, lastError: error });
      if (quiet.has(problem)) return;
      write(problem);
      startQuietTime(problem);
    },
    /** Writes what is still to be told. */
    close(): void {
      for (const timer of quiet.values()) clearTimeout(timer);
      quiet.clear();
      for (const problem of [...counts.keys()]) write(problem);
    },
  };
}

export type ProblemLog = ReturnType<typeof createProblemLog>;
