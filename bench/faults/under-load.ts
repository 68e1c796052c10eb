import { setTimeout as sleep } from 'node:timers/promises';
import { idsOf } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { takeAccounts, untilDrained } from './accounts.ts';
import { type FaultFleet, startFaultFleet } from './fault-fleet.ts';
import { type Load, startLoad } from './load.ts';
import type { FaultOptions, FaultResult } from './scenario.ts';

/** Records per second: about a tenth of what two workers can do, so that they can catch up meanwhile. */
const perSecond = 1_500;

/** Load before the fault, so that the fleet is busy when it occurs. */
const calmMs = 2_000;

/** A fault, and the fleet that it affects. */
export interface Fault {
  scenario: string;
  name: string;
  workers: number;
  environment?: Record<string, string>;
  /** records of one chunk at most. @default the configured number */
  chunkRecords?: number;
  /** Causes the fault, and returns when it is over. @returns remarks besides the counts */
  strike(fleet: FaultFleet, load: Load, testbed: Testbed): Promise<string>;
}

/** Applies a fault to a fleet under steady load, waits until everything has settled, and counts the records. */
export async function strikeUnderLoad({ testbed, rows }: FaultOptions, fault: Fault): Promise<FaultResult> {
  const fleet = await startFaultFleet(testbed, fault);
  try {
    const load = startLoad(testbed, { namespace: fleet.namespace, rows, perSecond, chunkRecords: fault.chunkRecords });
    await sleep(calmMs);
    const said = await fault.strike(fleet, load, testbed);
    const overAt = performance.now();
    await load.stop();
    await untilDrained([fleet.queue]);
    const drainSeconds = (performance.now() - overAt) / 1_000;
    const accounts = await takeAccounts(fleet, idsOf(rows, load.recorded()));
    const suppressed = `${await fleet.duplicates()} duplicates suppressed`;
    return {
      scenario: fault.scenario,
      ...accounts,
      drainSeconds,
      extra: [said, suppressed].filter(Boolean).join(', '),
    };
  } finally {
    await fleet.close();
  }
}
