import type { ObserverStats } from '../../producers/index.ts';

/** What the database and the queue contain of one run of the demo. */
export interface Found {
  /** rows of the run */
  stored: number;
  /** those of them that are failed runs */
  storedFailures: number;
  /** records in jobs that are waiting, active or delayed */
  inFlight: number;
  /** dead letters, and records in jobs that failed for good */
  dead: number;
}

/** Every execution of a run, by where it ended. */
export interface Accounts {
  sent: number;
  stored: number;
  sampledOut: number;
  dropped: number;
  dead: number;
  inFlight: number;
  /** runs that did not end ok, according to the service */
  failures: number;
  storedFailures: number;
  /** sent minus all the others: 0, or something was lost (above 0) or stored twice (below) */
  unaccounted: number;
  reconciled: boolean;
}

/**
 * Compares what the service reported with what is stored. Reconciled if every execution is accounted for, and every failure is
 * stored, unless it was dropped, is a dead letter or is still on its way: failures are never sampled out.
 */
export function reconcile(stats: ObserverStats, failures: number, found: Found): Accounts {
  const { recorded: sent, sampledOut, dropped, disabled } = stats;
  const { stored, storedFailures, inFlight, dead } = found;
  const unaccounted = sent - stored - sampledOut - dropped - disabled - dead - inFlight;
  const missingFailures = failures - storedFailures;
  return {
    sent,
    stored,
    sampledOut: sampledOut + disabled,
    dropped,
    dead,
    inFlight,
    failures,
    storedFailures,
    unaccounted,
    reconciled: unaccounted === 0 && missingFailures >= 0 && missingFailures <= dropped + dead + inFlight + disabled,
  };
}
