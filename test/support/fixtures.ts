import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { queuePrefix, type ShardName } from '../../shared/contracts/queues.ts';
import { deadlockDetected } from '../../shared/platform/postgres/database-errors.ts';
import { defaultSchema, quoteIdentifier } from '../../shared/platform/postgres/schema.ts';
import { primariesOf } from '../../shared/platform/redis/cluster-nodes.ts';
import { createRedis, type Redis as RedisClient } from '../../shared/platform/redis/redis.ts';
import { admitGuest, asGuest, type GuestRole, guest } from './guest.ts';
import { testDirectoryPrefix } from './leftovers.ts';
import { targetOf } from './redis-target.ts';

/** Each helper here closes what it opened when its test has finished, or when it is told to. */
export type AtEnd = (close: () => Promise<void>) => void;

/** A migrated database of the test's own, as a worker connects to it. */
export async function createTestDatabase(atEnd: AtEnd = onTestFinished): Promise<string> {
  const name = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  // Copying waits for nobody, but is refused while another copy's connection is still on the template. As files it takes
  // half the CPU time that it takes page by page through the log.
  await until(async () => {
    await admin.query(`create database "${name}" template "${inject('templateDatabase')}" strategy file_copy`);
    return true;
  });
  atEnd(async () => {
    await admin.query(`drop database if exists "${name}" with (force)`);
    await admin.end();
  });
  const url = new URL(inject('doorUrl'));
  url.pathname = `/${name}`;
  if (!inject('isGuest')) return url.href;
  await admitGuest(admin, name);
  return asGuest(url.href, 'worker');
}

/** The database of a test as another of the three roles connects to it; where there are no roles, as everybody does. */
export function asRole(databaseUrl: string, role: GuestRole): string {
  return isOfGuest(databaseUrl) ? asGuest(databaseUrl, role) : databaseUrl;
}

function isOfGuest(databaseUrl: string): boolean {
  const { host, pathname } = new URL(databaseUrl);
  return inject('isGuest') && host === new URL(inject('doorUrl')).host && pathname.startsWith(`/${inject('runName')}_`);
}

/** Where the tables of test databases are, as SQL. */
export function ourSchema(): string {
  return quoteIdentifier(inject('isGuest') ? guest.schema : defaultSchema);
}

/** What a test sets up and looks at, it does as the owner of the database, directly, where names mean our tables. */
function asOwner(databaseUrl: string): string {
  if (!isOfGuest(databaseUrl)) return databaseUrl;
  const url = new URL(inject('postgresUrl'));
  url.pathname = new URL(databaseUrl).pathname;
  url.searchParams.set('options', `-c search_path=${quoteIdentifier(guest.schema)}`);
  return url.href;
}

/** A database of the test's own with nothing in it. */
export async function createEmptyDatabase(): Promise<string> {
  const name = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  const admin = await connect(inject('postgresUrl'));
  await admin.query(`create database "${name}"`);
  onTestFinished(() => admin.query(`drop database if exists "${name}" with (force)`).then(() => undefined));
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

/** A connection to look into a database with, and to write what a test needs there. */
export async function connect(databaseUrl: string, atEnd: AtEnd = onTestFinished): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: asOwner(databaseUrl) });
  client.on('error', () => undefined);
  await client.connect();
  atEnd(() => client.end().catch(() => undefined));
  return client;
}

/** Removes the keys of a pattern from the shared Redis, be it a cluster. */
export async function removeKeys(pattern: string): Promise<void> {
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'worker', name: 'test', logger: null });
  await redis.exists(pattern);
  for (const server of primariesOf(redis)) {
    for await (const keys of server.scanStream({ match: pattern, count: 1_000 }))
      await Promise.all((keys as string[]).map((key) => server.del(key)));
  }
  redis.disconnect();
}

/** A key namespace of the test's own on the shared Redis, emptied afterwards. */
export function createNamespace(): string {
  const namespace = `t-${randomBytes(6).toString('hex')}`;
  onTestFinished(async () => {
    await removeKeys(`{${namespace}:*`);
  });
  return namespace;
}

function openOnlooker(redisUrl: string): RedisClient {
  const target = targetOf(redisUrl);
  if (target.topology !== 'server') return createRedis(target, { role: 'worker', name: 'test', logger: null });
  const redis = new Redis(target.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  return redis;
}

/** The queue as an onlooker sees it. */
export function openQueue(
  namespace: string,
  redisUrl: string = inject('redisUrl'),
  name: ShardName = 'execution-log',
): Queue {
  const redis = openOnlooker(redisUrl);
  const queue = new Queue(name, { connection: redis, prefix: queuePrefix(name, namespace) });
  queue.on('error', () => undefined);
  onTestFinished(async () => {
    await queue.close();
    redis.disconnect();
  });
  return queue;
}

/** A directory that goes with the test. */
export async function createDirectory(parent: string = tmpdir()): Promise<string> {
  const dir = await mkdtemp(join(parent, `${testDirectoryPrefix}${process.pid}-`));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Changes a partitioned table, as an operator does, while workers run. It locks the table before its partitions, and a worker that
 * makes one does the reverse: so it may be chosen as the victim of a deadlock. Then it asks again.
 */
export async function changeBesideWorkers(client: pg.Client, sql: string): Promise<void> {
  const isDone = (): Promise<boolean> =>
    client.query(sql).then(
      () => true,
      (error: { code?: string }) => {
        if (error.code === deadlockDetected) return false;
        throw error;
      },
    );
  while (!(await isDone()));
}

/** Asks again and again until the answer is truthy; the test's own timeout bounds it. Errors count as no answer yet. */
export async function until<T>(
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  let lastError: unknown;
  for (let asked = 0; asked < 2_000; asked += 1) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      lastError = error;
    }
    await sleep(25);
  }
  throw new Error('what the test waits for did not happen', { cause: lastError });
}

/** Waits until a statement in the database waits for a lock. */
export async function untilBlocked(databaseUrl: string): Promise<void> {
  // A connection of its own: in a transaction that has looked once, pg_stat_activity lacks whoever connects later.
  const client = await connect(databaseUrl);
  await until(async () => {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount;
  });
  await client.end();
}
