import { createRows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { type FleetResult, measureFleets } from './fleet.ts';
import { measureQueues, type QueueResult } from './queue-alone.ts';
import { measureSizes, type SizeResult } from './record-sizes.ts';
import { openRedisPlaces } from './redis-places.ts';

/** What the capacity model is made of. */
export interface ScaleResult {
  meanBytes: number;
  fleets: FleetResult[];
  queues: QueueResult[];
  sizes: SizeResult[];
}

/** @throws Error if a row was lost: then no figure counts */
export async function measureScale(testbed: Testbed, count: number): Promise<ScaleResult> {
  const rows = createRows(count, testbed.config.producer);
  const places = await openRedisPlaces(testbed);
  const [server] = places;
  return {
    meanBytes: rows.meanBytes,
    sizes: server === undefined ? [] : await measureSizes(testbed, server, rows),
    queues: await measureQueues(testbed, places, rows),
    fleets: await measureFleets(testbed, places, rows),
  };
}
