import { hostname } from 'node:os';
import type { Config } from '../../shared/platform/config/config.ts';
import { pause } from '../../shared/platform/deadline.ts';
import { toError, UsageError } from '../../shared/platform/errors.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { readHardened, type SessionDeps } from './hardened/hardened.ts';
import { acquireLease, type Lease, releaseLease, renewLease } from './lease.ts';
import { readMirrored } from './mirror/mirrored.ts';
import type { ServerTrouble } from './server-trouble.ts';
import { standby } from './view.ts';

/** What it takes to read the stream whenever this worker has the lease. */
export interface LeaderDeps extends Omit<SessionDeps, 'config' | 'lease' | 'onDatabase' | 'onRedis'> {
  config: Pick<Config, 'health' | 'retry'>;
  trouble: ServerTrouble;
  /** of the worker, whatever its role */
  parentLogger: Logger;
}

/**
 * Waits for the lease and reads the stream while it has it, again and again, until the signal aborts.
 *
 * @throws what no worker can go on with until a person mends something; in mirror mode any error, as the original does
 */
export async function lead(deps: LeaderDeps): Promise<void> {
  const { config, database, logger, signal, trouble } = deps;
  const { health } = config;
  const holder = `${hostname()}:${process.pid}`;
  while (!signal.aborted) {
    const lease = await trouble.onDatabase(
      () => acquireLease(database, { label: health.label, holder, ttlMs: health.leaseMs }),
      signal,
    );
    if (lease === null) {
      await pause((health.leaseMs / 3) * (0.75 + Math.random() / 2), signal);
      continue;
    }
    try {
      await readWith(lease, deps);
    } catch (error) {
      // The original ends with any error.
      if (error instanceof UsageError || health.mode === 'mirror') throw error;
      logger.error({ err: toError(error) }, 'reading the stream failed; trying again');
      await pause(config.retry.maxMs, signal);
    }
  }
}

/** Reads the stream until the lease is lost or the signal aborts. */
async function readWith(lease: Lease, { config, trouble, parentLogger, ...deps }: LeaderDeps): Promise<void> {
  const { health } = config;
  const { database, logger, view } = deps;
  const lost = new AbortController();
  const signal = AbortSignal.any([deps.signal, lost.signal]);
  let renewing: Promise<unknown> = Promise.resolve();
  const renewal = setInterval(() => {
    renewing = renewLease(database, lease, health.leaseMs).then(
      (isHeld) => isHeld || lost.abort(),
      (error: unknown) => logger.warn({ reason: explainDatabaseError(error) }, 'the lease could not be renewed'),
    );
  }, health.leaseMs / 3);
  Object.assign(view, standby, { isLeader: true });
  try {
    const read = health.mode === 'mirror' ? readMirrored : readHardened;
    const ending = await read({
      ...deps,
      config: health,
      lease,
      // The original's names for itself are its own.
      logger: health.mode === 'mirror' ? parentLogger : logger,
      signal,
      onDatabase: (work) => trouble.onDatabase(work, signal),
      onRedis: (redis, work) => trouble.onRedis(redis, work, signal),
    });
    logger.info({ fencing: lease.token, ending }, 'stopped reading the stream');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(renewal);
    Object.assign(view, standby);
    // A renewal that is still under way would take the lease again.
    await renewing;
    await releaseLease(database, lease).catch(() => undefined);
  }
}
