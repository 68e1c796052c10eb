import { lostInDoubt } from '../add-up.ts';
import type { ExecutionCounts } from './execution-sender.ts';

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
  /** for their content, by Redis or by the gateway */
  refused: number;
  /** runs that did not end ok, according to the service */
  failures: number;
  storedFailures: number;
  /** sent minus all the others: 0, or something was lost (above 0) or stored twice (below) */
  unaccounted: number;
  reconciled: boolean;
}

/**
 * Compares what a sender says with what is stored. Reconciled if every execution is accounted for, and every failure is stored,
 * unless it was dropped or refused, is a dead letter or is still on its way: failures are never sampled out.
 */
export function reconcile(counts: ExecutionCounts, failures: number, found: Found): Accounts {
  const { recorded: sent, disabled, refused, inDoubt } = counts;
  const { stored, storedFailures, inFlight, dead } = found;
  const missing = sent - stored - counts.sampledOut - disabled - counts.dropped - dead - inFlight - refused;
  const lost = lostInDoubt(missing, inDoubt);
  const dropped = counts.dropped + lost;
  const unaccounted = missing - lost;
  const missingFailures = failures - storedFailures;
  const mayBeMissing = dropped + dead + inFlight + refused + disabled;
  return {
    sent,
    stored,
    sampledOut: counts.sampledOut + disabled,
    dropped,
    dead,
    inFlight,
    refused,
    failures,
    storedFailures,
    unaccounted,
    reconciled: unaccounted === 0 && missingFailures >= 0 && missingFailures <= mayBeMissing,
  };
}
