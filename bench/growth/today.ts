import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { executionLogTable, planPartitions } from '../../shared/platform/postgres/partitions/partitions.ts';
import { fillRuns, prepareRuns } from '../fill-runs.ts';
import type { TargetStore } from '../rounds.ts';
import type { Testbed } from '../testbed.ts';

/** The partition of a day, as the target of measured runs. */
export interface Day extends TargetStore {
  /** the time of the newest row of a run, in ms */
  nowMs(): number;
}

/** Today's partition, which grows, and yesterday's, which every run finds empty. */
export interface Days {
  today: Day & {
    /** Makes this many rows more, earlier than all that are measured. @returns one of their strategies */
    grow(rows: number): Promise<string>;
    /** with indexes and out-of-line storage, in bytes */
    bytes(): Promise<number>;
  };
  yesterday: Day;
}

/** As a busy strategy has in a day. */
const rowsPerStrategy = 50_000;
const dayMs = 86_400_000;
const minuteMs = 60_000;

/**
 * @param mostRows that today's partition will be grown to
 * @throws UsageError if today has only just begun, so that there is no time for earlier rows
 */
export async function openDays(testbed: Testbed, mostRows: number): Promise<Days> {
  const measuredFromMs = Date.now() - minuteMs;
  const midnightMs = Math.floor(Date.now() / dayMs) * dayMs;
  const [yesterday, today] = planPartitions(executionLogTable, Date.now(), 0);
  if (yesterday === undefined || today === undefined || measuredFromMs - midnightMs < minuteMs)
    throw new UsageError(
      'today (UTC) has just begun: its partition has no time for earlier rows; try again in two minutes',
    );
  const client = await testbed.connect('the connection to the partitions');
  await prepareRuns(client, testbed.config.producer);
  const everyMs = (measuredFromMs - midnightMs) / Math.max(1, mostRows);
  // By the key, which begins with the time: counting reads what was measured, and not millions of other rows.
  const countMeasured = (): Promise<number> =>
    numberOf(client, `select count(*)::int from ${today.name} where id >= $1::uuid`, [uuidV7(measuredFromMs)]);
  let made = 0;
  let before = 0;
  return {
    today: {
      nowMs() {
        if (Date.now() >= midnightMs + dayMs)
          throw new Error('midnight (UTC) has passed: today is another partition now');
        return Date.now();
      },
      async reset() {
        before = await countMeasured();
        await client.query('checkpoint');
      },
      countRows: async () => (await countMeasured()) - before,
      async grow(rows) {
        const strategyIds = Array.from({ length: Math.max(1, Math.round(rows / rowsPerStrategy)) }, () => randomUUID());
        await fillRuns(client, { rows, fromMs: midnightMs + made * everyMs, everyMs, strategyIds });
        made += rows;
        // As autovacuum does in the course of a day.
        await client.query(`vacuum analyze ${today.name}`);
        return strategyIds[0] as string;
      },
      bytes: () => numberOf(client, 'select pg_total_relation_size($1::regclass)::float8', [today.name]),
    },
    yesterday: {
      nowMs: () => midnightMs,
      async reset() {
        await client.query(`truncate ${yesterday.name}`);
        await client.query('checkpoint');
      },
      countRows: () => numberOf(client, `select count(*)::int from ${yesterday.name}`, []),
    },
  };
}

async function numberOf(client: pg.Client, text: string, values: unknown[]): Promise<number> {
  const { rows } = await client.query<[number]>({ text, values, rowMode: 'array' });
  return rows[0]?.[0] ?? Number.NaN;
}
