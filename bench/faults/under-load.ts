import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage.ts';
import { takeAccounts, untilDrained } from './accounts.ts';
import { type Arena, openArena } from './arena.ts';
import { type Load, startLoad } from './load.ts';
import type { FaultOptions, FaultResult } from './scenario.ts';

/** Records a second: about a tenth of what two workers can do, so that they could catch up while it goes on. */
const perSecond = 1_500;

/** Load before the fault, so that it meets a fleet at work. */
const calmMs = 2_000;

/** A fault, and the fleet that it meets. */
export interface Fault {
  scenario: string;
  name: string;
  workers: number;
  environment?: Record<string, string>;
  /** records of one chunk at most. @default the configured number */
  chunkRecords?: number;
  /** Does the harm, and returns when it is over. @returns what there is to say of it, besides the counts */
  strike(arena: Arena, load: Load, stage: Stage): Promise<string>;
}

/** Lets a fault strike a fleet under steady load, waits until all is settled, and takes the accounts. */
export async function strikeUnderLoad({ stage, rows }: FaultOptions, fault: Fault): Promise<FaultResult> {
  const arena = await openArena(stage, fault);
  try {
    const load = startLoad(stage, { namespace: arena.namespace, rows, perSecond, chunkRecords: fault.chunkRecords });
    await sleep(calmMs);
    const said = await fault.strike(arena, load, stage);
    const overAt = performance.now();
    await load.stop();
    await untilDrained(arena);
    const drainSeconds = (performance.now() - overAt) / 1_000;
    const accounts = await takeAccounts(arena, rows, load.recorded());
    const suppressed = `${await arena.duplicates()} duplicates suppressed`;
    return {
      scenario: fault.scenario,
      ...accounts,
      drainSeconds,
      extra: [said, suppressed].filter(Boolean).join(', '),
    };
  } finally {
    await arena.close();
  }
}
