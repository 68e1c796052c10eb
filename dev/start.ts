import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { migrate, migratorOf } from '../prisma/migrate.ts';
import { type Config, loadConfig } from '../shared/platform/config/config.ts';
import { createCloseStack } from '../shared/platform/lifecycle.ts';
import { isRedisNamed } from '../shared/platform/redis/redis-target.ts';
import { describeExit, type Fleet, startFleet } from './fleet/fleet.ts';
import { lockFleet } from './fleet/fleet-lock.ts';
import { watchFleet } from './fleet/fleet-watch.ts';
import { makePrivateDirectory } from './servers/private-files.ts';
import { type Servers, startServers } from './servers/servers.ts';
import { say, step } from './steps.ts';

/** A whole running Sluice on this machine. */
export interface LocalSluice {
  /** includes the servers' URLs */
  config: Config;
  fleet: Fleet;
  /** the watch and the workers first, then the servers, then the lock */
  stop(): Promise<void>;
}

/**
 * Starts everything: servers (private ones, unless the environment names them), migrations, worker processes. If a step fails, it
 * stops what it started.
 */
export async function startLocalSluice(environment: NodeJS.ProcessEnv): Promise<LocalSluice> {
  const given = loadConfig(environment);
  const dir = resolve('.sluice');
  await makePrivateDirectory(dir);
  const closing = createCloseStack((name, error) => say(`${name} could not be stopped: ${String(error)}`));
  try {
    if (given.database.url === null || !isRedisNamed(given.redis)) closing.push('the lock', await lockFleet(dir));
    const servers = await startServers(given, environment, dir);
    closing.push('servers', servers.stop);
    const fleetEnvironment: NodeJS.ProcessEnv = {
      ...environment,
      DATABASE_URL: servers.databaseUrl,
      ...(servers.redisUrl !== null && { REDIS_URL: servers.redisUrl }),
      // It points to the server of DATABASE_URL, if to any.
      ...(given.database.url === null && { SLUICE_MIGRATE_DATABASE_URL: '' }),
    };
    const config = loadConfig(fleetEnvironment);
    closing.push('the addresses', await writeAddresses(join(dir, 'env'), servers));
    await step(
      () => migrate(migratorOf(config), { say }),
      (applied) => (applied.length === 0 ? 'database is up to date' : `database migrated: ${applied.join(', ')}`),
    );
    const fleet = await step(
      () =>
        startFleet({
          workers: config.fleet.workers,
          alone: ['health-events', 'maintenance'],
          console: true,
          gateway: true,
          environment: fleetEnvironment,
          logDir: resolve(dir, 'logs'),
          onCrash: (worker, exit) => say(`${worker.name} ${describeExit(exit)}; restarting it`),
        }),
      ({ workers }) =>
        `${workers.length} workers are running: ${workers.map(({ name, url }) => `${name} ${url}`).join(', ')}`,
    );
    closing.push('workers', fleet.stop);
    const { metricsToken } = config.worker;
    closing.push('the watch', watchFleet({ workers: fleet.workers, metricsToken, say }).stop);
    return { config, fleet, stop: closing.closeAll };
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}

/** Writes the servers' URLs, including passwords, to a file for the user's own shells; it is deleted with the servers. */
async function writeAddresses(file: string, { databaseUrl, redisUrl }: Servers): Promise<() => Promise<void>> {
  // A file that a killed run left behind keeps its permissions.
  await rm(file, { force: true });
  const ofRedis = redisUrl === null ? '' : `export REDIS_URL='${redisUrl}'\n`;
  await writeFile(file, `export DATABASE_URL='${databaseUrl}'\n${ofRedis}`, { mode: 0o600 });
  return () => rm(file, { force: true });
}
