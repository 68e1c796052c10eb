import type { Snapshot } from '../executions/snapshot.ts';
import type { LifeKey } from './life-key.ts';
import { ofFilter, type Scope } from './scope.ts';

/** A life whose clock differs from the database's. */
export interface WrongClock extends LifeKey {
  /** ahead of the database's; negative: behind, or its reports took so long */
  offSeconds: number;
  /** when its last report came, by the clock of the database */
  lastHeardAt: Date;
}

/** A producer counts by the minute of its own clock, so a smaller difference moves little. */
export const wrongAboveSeconds = 120;
export const mostClocks = 100;

/** The lives that reported since the window began and whose clock is off, the worst first. Their minutes may be in no window of now. */
export async function readWrongClocks(snapshot: Snapshot, { window: { since }, filter }: Scope): Promise<WrongClock[]> {
  return snapshot.$queryRaw<WrongClock[]>`
    select producer, epoch::float8 as epoch, life, queue, round(-least_lag_ms / 1000.0)::float8 as "offSeconds", last_at as "lastHeardAt"
    from sluice.ledger_life where last_at >= ${since} and abs(least_lag_ms) > ${wrongAboveSeconds * 1_000}${ofFilter(filter)}
    order by abs(least_lag_ms) desc, producer limit ${mostClocks}`;
}
