/** How many events of one kind a line stands for, and the last error among them. */
export interface ThrottledEvents {
  count: number;
  lastError: Error | null;
}

/**
 * Lets events of each kind through at most once in `intervalMs`, with their number since the last time: the first at
 * once, those of the following interval together at its end. For trouble that comes once per record or per job.
 */
export function createThrottledLog<Kind extends string>(
  intervalMs: number,
  write: (kind: Kind, events: ThrottledEvents) => void,
) {
  const pending = new Map<Kind, ThrottledEvents>();
  /** null: there is no end to it */
  const quiet = new Map<Kind, NodeJS.Timeout | null>();
  let isClosed = false;

  const flush = (kind: Kind): void => {
    const events = pending.get(kind);
    if (events === undefined) return;
    pending.delete(kind);
    try {
      write(kind, events);
    } catch {
      // A logger that throws must not reach the code that had something to report.
    }
  };

  const startQuietTime = (kind: Kind): void => {
    if (isClosed) {
      quiet.set(kind, null);
      return;
    }
    const timer = setTimeout(() => {
      quiet.delete(kind);
      if (!pending.has(kind)) return;
      flush(kind);
      startQuietTime(kind);
    }, intervalMs);
    timer.unref();
    quiet.set(kind, timer);
  };

  return {
    report(kind: Kind, error: Error | null): void {
      const { count, lastError } = pending.get(kind) ?? { count: 0, lastError: null };
      pending.set(kind, { count: count + 1, lastError: error ?? lastError });
      if (quiet.has(kind)) return;
      flush(kind);
      startQuietTime(kind);
    },
    /** Writes what is still to be told. Of what comes later only the first of each kind is told: no timer runs any more. */
    close(): void {
      isClosed = true;
      for (const timer of quiet.values()) if (timer !== null) clearTimeout(timer);
      quiet.clear();
      for (const kind of [...pending.keys()]) flush(kind);
    },
  };
}
