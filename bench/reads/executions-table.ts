import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { fillRuns, prepareRuns } from '../fill-runs.ts';
import type { Testbed } from '../testbed.ts';

/** A table with the rows of one busy strategy, and the windows to ask for. */
export interface FilledTable {
  strategyId: string;
  rows: number;
  /** of the whole table with its indexes and out-of-line storage, in bytes */
  bytes: number;
  /** of the indexes alone */
  indexBytes: number;
  /** after the newest row */
  until: Date;
  /** 24 hours before that, and the rows since then */
  dayAgo: Date;
  dayRows: number;
  /** ms from before the oldest row to `until` */
  spanMs: number;
  /** for what is not asked through Prisma */
  client: pg.Client;
}

/** The interval between rows in ms: 50,000 rows a day, so that a million are 20 days. */
const everyMs = 1_728;
const dayMs = 86_400_000;

/** Fills the table with the runs of one strategy. */
export async function fillTable(testbed: Testbed, rows: number): Promise<FilledTable> {
  await testbed.reset();
  const client = await testbed.connect('the connection to the execution log');

  const until = new Date();
  await createDays(client, until, rows);
  await prepareRuns(client, testbed.config.producer);
  const strategyId = randomUUID();
  await fillRuns(client, { rows, fromMs: until.getTime() - rows * everyMs, everyMs, strategyIds: [strategyId] });
  await client.query('vacuum analyze strategy_execution_log');
  await client.query('checkpoint');
  const { rows: sizes } = await client.query<{ bytes: number; index_bytes: number }>(
    `select sum(pg_total_relation_size(relid))::float8 as bytes, sum(pg_indexes_size(relid))::float8 as index_bytes
     from pg_partition_tree('strategy_execution_log') where isleaf`,
  );
  const { bytes = 0, index_bytes: indexBytes = 0 } = sizes[0] ?? {};
  return {
    strategyId,
    rows,
    bytes,
    indexBytes,
    until,
    dayAgo: new Date(until.getTime() - dayMs),
    dayRows: Math.min(rows, dayMs / everyMs),
    spanMs: rows * everyMs,
    client,
  };
}

/** Leaves the days that the testbed has already created. */
async function createDays(client: pg.Client, until: Date, rows: number): Promise<void> {
  const today = Math.floor(until.getTime() / dayMs);
  for (let day = Math.floor((until.getTime() - rows * everyMs) / dayMs); day <= today; day += 1) {
    const [from, to] = [day, day + 1].map((number) => new Date(number * dayMs).toISOString());
    const name = `strategy_execution_log_${from?.slice(0, 10).replaceAll('-', '')}`;
    await client.query(
      `create table if not exists ${name} partition of strategy_execution_log for values from ('${from}') to ('${to}')`,
    );
  }
}
