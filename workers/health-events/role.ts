import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { streamIdMs } from '../../shared/contracts/stream-id.ts';
import { requireRedis } from '../../shared/platform/config/config.ts';
import { toError, UsageError } from '../../shared/platform/errors.ts';
import { endsWithin } from '../../shared/platform/lifecycle.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { startProgressWatch } from '../runtime/progress-watch.ts';
import { databaseAnswers } from '../runtime/readiness.ts';
import { retryWhileWorthWaiting } from '../runtime/retry.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { askRedis, whyRedisFails } from './ask-redis.ts';
import { readHardened, type SessionDeps } from './hardened/hardened.ts';
import { acquireLease, type Lease, releaseLease, renewLease } from './lease.ts';
import { createHealthMetrics } from './metrics.ts';
import { readMirrored } from './mirror/mirrored.ts';
import { countSnapshots } from './outbox/outbox.ts';
import { type HealthView, standby } from './view.ts';

const requeueMs = 1_000;
const scrapeWithinMs = 1_000;

/**
 * The consumer of health events. Of any number that run, the one with the lease reads the stream; when it ends or is silent
 * for longer than the lease lasts, another one goes on from the place that is stored.
 */
export function createHealthEvents({ config, database, redis, logger: parent, registry }: RoleDeps<'health'>): Role {
  const { health } = config;
  const logger = parent.child({ worker: 'health-events', stream: health.stream });
  const stopping = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const view: HealthView = { ...standby, commits: 0, trouble: null };
  const metrics = createHealthMetrics(registry, {
    isLeader: () => view.isLeader,
    behind: () => view.behind,
    lagSeconds: () => lagSeconds(view),
    heldEntries: () => view.heldEntries,
    isRefusedByLobby: () => (view.isLeader ? view.otherPublisher !== null : null),
    isOutage: () => view.trouble === 'PostgreSQL',
    outboxRows: () => {
      const { publishedSeq } = view;
      return withinScrape(publishedSeq === null ? null : () => countSnapshots(database, health.label, publishedSeq));
    },
    stuckRecords: () =>
      withinScrape(
        view.isLeader
          ? () => database.runtimeRecord.count({ where: { status: 'engine_unreachable', engineHealth: 'healthy' } })
          : null,
      ),
  });
  const target = requireRedis(config.redis);
  const connection = (name: string) => createRedis(target, { role: 'consumer', name: `sluice:health:${name}`, logger });
  const reader = connection('reader');
  const writer = connection('writer');
  /** of Redis, when it is in trouble */
  let whyNot = '';
  let watch: { livenessFailure(): string | null; stop(): void } | null = null;
  let running: Promise<void> = Promise.resolve();

  const onDatabase = async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    let isInTrouble = false;
    const result = retryWhileWorthWaiting(work, {
      backoff: config.retry,
      random: Math.random,
      signal,
      onRetry({ code }, attempt, thrown) {
        isInTrouble = true;
        view.trouble = 'PostgreSQL';
        metrics.retries.inc({ server: 'postgres', code });
        if (attempt === 0)
          logger.warn({ reason: explainDatabaseError(thrown) }, 'database is in trouble; the stream waits');
      },
      onRecovered: () => logger.info('database answers again'),
    });
    try {
      return await result;
    } finally {
      // However it has ended: the database has answered, if only with a refusal, or nothing is asked of it any more.
      if (isInTrouble) view.trouble = null;
    }
  };

  const onRedis = <T>(connection: Redis, work: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    askRedis(work, {
      redis: connection,
      backoff: config.retry,
      signal,
      onFailure(error, attempt) {
        view.trouble = 'Redis';
        whyNot = whyRedisFails(error);
        metrics.retries.inc({ server: 'redis', code: classifyRedisError(error).code });
        // A refusal may quote what was sent.
        const about = isRefusal(error) ? { reason: whyNot } : { err: error };
        if (attempt === 0) logger.warn(about, 'Redis is in trouble; the stream waits');
      },
      onRecovered() {
        view.trouble = null;
        logger.info('Redis answers again');
      },
    });

  /** Reads the stream until the lease is lost or the worker is asked to stop. */
  const lead = async (lease: Lease): Promise<void> => {
    const lost = new AbortController();
    const signal = AbortSignal.any([stopping.signal, lost.signal]);
    const renewal = setInterval(() => {
      renewLease(database, lease, health.leaseMs).then(
        (isHeld) => isHeld || lost.abort(),
        (error: unknown) => logger.warn({ reason: explainDatabaseError(error) }, 'the lease could not be renewed'),
      );
    }, health.leaseMs / 3);
    Object.assign(view, standby, { isLeader: true });
    try {
      const session: SessionDeps = {
        config: health,
        lease,
        database,
        redis,
        reader,
        writer,
        // The original's names for itself are its own.
        logger: health.mode === 'mirror' ? parent : logger,
        metrics,
        view,
        signal,
        onDatabase: (work) => onDatabase(work, signal),
        onRedis: (connection, work) => onRedis(connection, work, signal),
      };
      const ending = await (health.mode === 'mirror' ? readMirrored : readHardened)(session);
      logger.info({ fencing: lease.token, ending }, 'stopped reading the stream');
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(renewal);
      Object.assign(view, standby);
      await releaseLease(database, lease).catch(() => undefined);
    }
  };

  const run = async (): Promise<void> => {
    const { signal } = stopping;
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    const holder = `${hostname()}:${process.pid}`;
    while (!signal.aborted) {
      const lease = await onDatabase(
        () => acquireLease(database, { label: health.label, holder, ttlMs: health.leaseMs }),
        signal,
      );
      if (lease === null) {
        await pause((health.leaseMs / 3) * (0.75 + Math.random() / 2));
        continue;
      }
      try {
        await lead(lease);
      } catch (error) {
        // The original ends with any error.
        if (error instanceof UsageError || health.mode === 'mirror') throw error;
        logger.error({ err: toError(error) }, 'reading the stream failed; trying again');
        await pause(config.retry.maxMs);
      }
    }
  };

  return {
    heldRecords: 0,
    failed: failed.promise,
    notReadyReason() {
      if (view.trouble === null) return null;
      return `${view.trouble} does not carry out its commands${view.trouble === 'Redis' ? `: ${whyNot}` : ''}`;
    },
    livenessFailure: () => watch?.livenessFailure() ?? null,
    async start(): Promise<void> {
      await onDatabase(async () => {
        await database.$queryRaw`select from sluice.runtime_record, sluice.stream_offset, sluice.stream_lease, sluice.lobby_outbox limit 0`;
      }, stopping.signal);
      if (stopping.signal.aborted) return;
      watch = startProgressWatch(
        {
          settledJobs: () => view.commits,
          heldRecords: () => 0,
          takeableJobs: async () => view.behind ?? 0,
          exemption: () => view.trouble,
          databaseAnswers: () => databaseAnswers(database),
          now: () => performance.now(),
        },
        config.worker.stuckAfterMs,
      );
      logger.info({ mode: health.mode, label: health.label }, 'waiting for the lease of the stream');
      running = run().catch((error: unknown) => {
        if (!stopping.signal.aborted) failed.reject(error);
      });
    },
    async stop(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      watch?.stop();
      const inTime = await endsWithin(running, timeoutMs);
      reader.disconnect();
      writer.disconnect();
      if (!inTime) await endsWithin(running, requeueMs);
      return inTime;
    },
  };
}

function lagSeconds({ isLeader, oldestId, serverAheadMs }: HealthView): number | null {
  if (!isLeader || serverAheadMs === null) return null;
  return oldestId === null ? 0 : Math.max(0, performance.now() + serverAheadMs - streamIdMs(oldestId)) / 1_000;
}

async function withinScrape(question: (() => Promise<number>) | null): Promise<number | null> {
  if (question === null) return null;
  const answer = question().catch(() => null);
  return (await endsWithin(answer, scrapeWithinMs)) ? answer : null;
}
