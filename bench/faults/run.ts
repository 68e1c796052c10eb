import { say } from '../../dev/steps.ts';
import { createRows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { killedWorkers } from './killed-workers.ts';
import { largeRequests } from './large-requests.ts';
import { lostReplies } from './lost-replies.ts';
import { poisonedBatches } from './poison.ts';
import { postgresOutage } from './postgres-outage.ts';
import { redisCrash } from './redis-crash.ts';
import { redisFull } from './redis-full.ts';
import { rollingRestart } from './rolling-restart.ts';
import type { FaultResult, Scenario } from './scenario.ts';

/** More than the longest scenario records. */
const rowsAtLeast = 150_000;
const rowsPerOutageSecond = 2_000;

const scenarios: Scenario[] = [
  lostReplies,
  killedWorkers,
  rollingRestart,
  redisCrash,
  poisonedBatches,
  largeRequests,
  postgresOutage,
  redisFull,
];

/** Applies every fault to a fleet of its own, one after the other, and counts what happened to the records. */
export async function runFaults(
  testbed: Testbed,
  { outageSeconds }: { outageSeconds: number },
): Promise<FaultResult[]> {
  const rows = createRows(Math.max(rowsAtLeast, outageSeconds * rowsPerOutageSecond), testbed.config.producer);
  const results: FaultResult[] = [];
  for (const scenario of scenarios) {
    const result = await scenario({ testbed, rows, outageSeconds });
    say(`${result.scenario}: ${result.recorded} recorded, ${result.lost} lost, ${result.duplicated} duplicated`);
    results.push(result);
  }
  return results;
}

/** Whether every record is stored once, or is in a place where somebody can find it. */
export function isWhole(results: readonly FaultResult[]): boolean {
  return results.every(({ lost, duplicated }) => lost === 0 && duplicated === 0);
}
