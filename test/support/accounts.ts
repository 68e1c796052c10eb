import type pg from 'pg';
import { onTestFinished } from 'vitest';
import { findShards } from '../../shared/platform/redis/find-shards.ts';
import { readQueue } from '../../shared/platform/redis/read-queue.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { connect, until } from './fixtures.ts';
import { targetOf } from './redis-target.ts';
import type { Place } from './worker-process.ts';

/** What became of the executions that were recorded. */
export interface Accounts {
  stored: number;
  /** case names of executions that no row tells of */
  lost: string[];
  /** case names that more than one row has */
  duplicated: string[];
  deadLetters: number;
  failedJobs: number;
}

/** Waits until no job is left, which is when all is committed that will be, and compares rows with what was recorded. */
export async function settledAccounts(place: Place, recorded: readonly string[]): Promise<Accounts> {
  const redis = createRedis(targetOf(place.redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  const { namespace } = place;
  const shards = await findShards(redis, { queue: 'execution-log', namespace });
  const read = () => Promise.all(shards.map((queue) => readQueue(redis, { queue, namespace })));
  await until(async () => (await read()).every(({ waiting, active, delayed }) => waiting + active + delayed === 0));
  const client = await connect(place.databaseUrl);
  const { rows } = await client.query<{ name: string }>('select case_name as name from strategy_execution_log');
  const { rows: deadLetters } = await client.query<{ n: number }>('select count(*)::int as n from dead_letter');
  const rowsOf = new Map<string, number>();
  for (const { name } of rows) rowsOf.set(name, (rowsOf.get(name) ?? 0) + 1);
  return {
    stored: rows.length,
    lost: recorded.filter((name) => !rowsOf.has(name)),
    duplicated: [...rowsOf].flatMap(([name, count]) => (count > 1 ? [name] : [])),
    deadLetters: deadLetters[0]?.n ?? 0,
    failedJobs: (await read()).reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** The accounts of a run in which every execution is there once and nothing was put aside. */
export function allOnce(recorded: readonly string[]): Accounts {
  return { stored: recorded.length, lost: [], duplicated: [], deadLetters: 0, failedJobs: 0 };
}

/** The rows of the execution log, now. */
export async function countStored(databaseUrl: string): Promise<number> {
  const client = await connect(databaseUrl);
  const rows = await countRows(client);
  await client.end();
  return rows;
}

/** Waits until the table has so many rows. */
export async function untilStored(databaseUrl: string, count: number): Promise<void> {
  const client = await connect(databaseUrl);
  await until(async () => (await countRows(client)) >= count);
  await client.end();
}

/** Waits until the table has grown by so many rows from now on. */
export async function untilStoredMore(databaseUrl: string, more: number): Promise<void> {
  await untilStored(databaseUrl, (await countStored(databaseUrl)) + more);
}

async function countRows(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from strategy_execution_log');
  return rows[0]?.n ?? 0;
}
