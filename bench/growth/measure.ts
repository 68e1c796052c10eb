import { say } from '../../dev/steps.ts';
import { createSluice } from '../contenders/sluice.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import type { Testbed } from '../testbed.ts';
import { checkDisk } from './disk.ts';
import { type MemoryResult, measureMemory } from './memory-slope.ts';
import { measureSize, type SizeResult } from './sizes.ts';
import { openDays } from './today.ts';

/** How Sluice does as the table grows and as time passes. */
export interface GrowthResult {
  environment: Environment;
  /** in the order of their rows */
  sizes: SizeResult[];
  /** null: not requested */
  memory: MemoryResult | null;
}

/**
 * @param options.rows that today's partition has before it is measured, ascending
 * @param options.minutes of steady load; 0: none
 * @throws UsageError if the disk is too small
 * @throws Error if a row was lost: then no figure counts
 */
export async function measureGrowth(
  testbed: Testbed,
  { rows, minutes }: { rows: readonly number[]; minutes: number },
): Promise<GrowthResult> {
  const mostRows = rows.at(-1) ?? 0;
  await checkDisk(testbed.dir, { mostRows, minutes });
  const fleet = await createSluice(testbed, { workers: 2 });
  const days = await openDays(testbed, mostRows);
  const sizes: SizeResult[] = [];
  for (const size of rows) {
    const strategyId = size === 0 ? null : await days.today.grow(size - (sizes.at(-1)?.rows ?? 0));
    say(`today's partition has ${size.toLocaleString('en')} rows`);
    sizes.push(await measureSize(testbed, fleet, days, { rows: size, strategyId }));
  }
  const rowsPerSecond = (sizes[0]?.beside.rowsPerSecond ?? Number.NaN) / 2;
  return {
    environment: readEnvironment(testbed),
    sizes,
    memory: minutes === 0 ? null : await measureMemory(testbed, fleet, { rowsPerSecond, minutes }),
  };
}
