import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { type PostgresBinaries, startPostgres } from '../../dev/servers/postgres.ts';
import { startRedis } from '../../dev/servers/redis.ts';
import { findRedisBinary, installRedis } from '../../dev/servers/redis-binary.ts';
import { startRedisCluster } from '../../dev/servers/redis-cluster.ts';
import { say, step } from '../../dev/steps.ts';
import { migrate } from '../../prisma/migrate.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { guestUsers, settleGuest } from './guest.ts';
import { sweepLeftovers, testDirectoryPrefix } from './leftovers.ts';
import { parentOfDatabases } from './memory-directory.ts';
import { startPgBouncer } from './pgbouncer.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** of the server's maintenance database, directly */
    postgresUrl: string;
    /** the same as tests reach their databases: through a pooler, where there is one */
    doorUrl: string;
    /** whether Sluice is a guest in its databases: see guest.ts */
    isGuest: boolean;
    redisUrl: string;
    /** how a process finds it, where the URL alone does not lead there; null: the URL does */
    redisEnvironment: Record<string, string> | null;
    redisBinary: string;
    /** a migrated database, to copy from */
    templateDatabase: string;
    /** names of everything that this run creates begin with it */
    runName: string;
  }
}

/** A PostgreSQL as others run it, in another time zone, where Sluice is a guest: see guest.ts. */
export interface ForeignServer {
  binaries(): Promise<PostgresBinaries> | undefined;
  timeZone: string;
  /** whether it is behind a PgBouncer with default settings */
  pooled: boolean;
}

export default function setUp(project: TestProject) {
  return setUpServers(project, null);
}

/**
 * Before all tests: the servers of DATABASE_URL and REDIS_URL, or private ones that live as long as the run. On a server
 * of the user's, only databases and key namespaces of this run are touched, and they are removed again.
 */
export async function setUpServers(
  project: TestProject,
  foreign: ForeignServer | null,
  { onCluster = false }: { onCluster?: boolean } = {},
) {
  await sweepLeftovers();
  const prefix = `${testDirectoryPrefix}${process.pid}-`;
  const dir = await mkdtemp(join(tmpdir(), prefix));
  const databaseDir = await mkdtemp(join(await parentOfDatabases(), prefix));
  const runName = `sluice_test_${randomBytes(4).toString('hex')}`;
  const closers: (() => Promise<unknown>)[] = [dir, databaseDir].map(
    (made) => () => rm(made, { recursive: true, force: true }),
  );
  const tearDown = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await bringUp();
  } catch (error) {
    await tearDown();
    throw error;
  }
  return tearDown;

  async function bringUp(): Promise<void> {
    const { database, redis: given } = loadConfig(process.env, ['database', 'redis']);
    const redisUrl = given.url;

    const redisBinary =
      (await findRedisBinary()) ??
      (await step(
        () => installRedis(process.env),
        (path) => `Redis installed: ${path}`,
      ));
    const cluster = onCluster ? await startRedisCluster({ binary: redisBinary, dir: join(dir, 'cluster') }) : null;
    if (cluster) closers.push(cluster.stop);
    const redis =
      redisUrl === null && cluster === null ? await startRedis({ binary: redisBinary, dir: join(dir, 'redis') }) : null;
    if (redis) closers.push(redis.stop);
    const postgres = database.url === null || foreign ? await startPrivatePostgres() : null;
    if (postgres) closers.push(postgres.stop);
    const postgresUrl = postgres?.url ?? database.url ?? '';
    const pooler = foreign?.pooled
      ? await startPgBouncer(postgresUrl, { dir: join(dir, 'pgbouncer'), users: guestUsers() })
      : null;
    if (pooler) closers.push(pooler.stop);
    const behind = foreign ? ` in ${foreign.timeZone}${pooler ? ', through PgBouncer' : ''}, as a guest` : '';
    say(
      `tests run on ${postgres ? `a private PostgreSQL, port ${postgres.port}${behind}` : 'DATABASE_URL'}, ${cluster ? `a private Redis Cluster, ${cluster.nodes}` : redis ? `a private Redis, port ${redis.port}` : 'REDIS_URL'}`,
    );

    const templateDatabase = `${runName}_template`;
    await createDatabase(postgresUrl, templateDatabase);
    closers.push(() => dropDatabases(postgresUrl, runName));
    const template = new URL(postgresUrl);
    template.pathname = `/${templateDatabase}`;
    if (foreign) await settleGuest(template.href);
    else await migrate({ ...database, url: template.href });

    project.provide('postgresUrl', postgresUrl);
    project.provide('doorUrl', pooler?.url ?? postgresUrl);
    project.provide('isGuest', foreign !== null);
    project.provide('redisUrl', cluster?.url ?? redisUrl ?? redis?.url ?? '');
    project.provide('redisEnvironment', cluster?.environment ?? null);
    project.provide('redisBinary', redisBinary);
    project.provide('templateDatabase', templateDatabase);
    project.provide('runName', runName);
  }

  async function startPrivatePostgres() {
    const binaries = await foreign?.binaries();
    return startPostgres({
      dir: join(databaseDir, 'postgres'),
      fsync: false,
      ...(binaries === undefined ? {} : { binaries }),
      ...(foreign === null ? {} : { settings: { timezone: foreign.timeZone } }),
    });
  }
}

async function createDatabase(url: string, name: string): Promise<void> {
  await withClient(url, (client) => client.query(`create database "${name}"`));
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [prefix],
    );
    for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`);
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
