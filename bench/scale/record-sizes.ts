import { say } from '../../dev/steps.ts';
import { type ContenderResult, type Run, summarise, warmUpShare } from '../rounds.ts';
import { createRows, type Rows } from '../rows.ts';
import { median } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import { measureFleet } from './fleet.ts';
import type { RedisPlace } from './redis-places.ts';

/** What a record of one size costs, with one worker. */
export interface SizeResult extends ContenderResult {
  /** of its JSON */
  meanBytes: number;
  /** bytes that PostgreSQL writes to its log, and keeps in the table and its indexes */
  walBytes: number;
  storedBytes: number;
}

const rounds = 3;

/** Measures records as they are, and the same with next to no trace: the difference is what their bytes cost. */
export async function measureSizes(testbed: Testbed, place: RedisPlace, rows: Rows): Promise<SizeResult[]> {
  const { traceLimit } = testbed.config.producer;
  const sizes = [1, traceLimit].map((limit) => {
    const producer = { ...testbed.config.producer, traceLimit: limit };
    const runs: (Run & Stored)[] = [];
    return { producer, rows: limit === traceLimit ? rows : createRows(rows.count, producer), runs };
  });
  for (let round = 1; round <= rounds; round += 1) {
    for (const { producer, rows: ofSize, runs } of sizes) {
      const before = await testbed.readBytes();
      const run = await measureFleet(testbed, { place, shards: 1, workers: 1, producer }, ofSize);
      const after = await testbed.readBytes();
      // The log also has what was written before the run was measured.
      const written = ofSize.count * (1 + warmUpShare);
      runs.push({
        ...run,
        walBytes: (after.walBytes - before.walBytes) / written,
        storedBytes: after.storedBytes / ofSize.count,
      });
      say(
        `round ${round} of ${rounds}: records of ${Math.round(ofSize.meanBytes)} bytes: ${Math.round(run.rowsPerSecond)} rows/s`,
      );
    }
  }
  return sizes.map(({ rows: { meanBytes }, runs }) => {
    const of = (pick: (stored: Stored) => number): number => median(runs.map(pick));
    return {
      ...summarise(`records of ${Math.round(meanBytes)} bytes`, runs),
      meanBytes,
      walBytes: of(({ walBytes }) => walBytes),
      storedBytes: of(({ storedBytes }) => storedBytes),
    };
  });
}

interface Stored {
  walBytes: number;
  storedBytes: number;
}
