import { streamIdMs } from '../../shared/contracts/stream-id.ts';
import { requireRedis } from '../../shared/platform/config/config.ts';
import { answerWithin, endsWithin } from '../../shared/platform/deadline.ts';
import { oneLife } from '../../shared/platform/lifecycle.ts';
import { databaseAnswers } from '../../shared/platform/readiness.ts';
import { createRedis, disconnect } from '../../shared/platform/redis/redis.ts';
import { startProgressWatch } from '../runtime/progress-watch.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { lead } from './leader-loop.ts';
import { createHealthMetrics } from './metrics.ts';
import { countSnapshots } from './outbox/outbox.ts';
import { createServerTrouble } from './server-trouble.ts';
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
  const trouble = createServerTrouble({ backoff: config.retry, logger, metrics, view });
  let watch: ReturnType<typeof startProgressWatch> | null = null;
  let running: Promise<void> = Promise.resolve();

  const { start, stop } = oneLife({
    async begin(): Promise<void> {
      await trouble.onDatabase(async () => {
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
      running = lead({
        ...{ config, database, redis, reader, writer, logger, parentLogger: parent, metrics, view, trouble },
        signal: stopping.signal,
      }).catch((error: unknown) => {
        if (!stopping.signal.aborted) failed.reject(error);
      });
    },
    async end(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      const inTime = await endsWithin(running, timeoutMs);
      await Promise.all([watch?.stop(), disconnect(reader), disconnect(writer)]);
      if (!inTime) await endsWithin(running, requeueMs);
      return inTime;
    },
  });

  return {
    start,
    stop,
    heldRecords: 0,
    failed: failed.promise,
    notReadyReason: trouble.notReadyReason,
    livenessFailure: () => watch?.livenessFailure() ?? null,
  };
}

function lagSeconds({ isLeader, oldestId, serverAheadMs }: HealthView): number | null {
  if (!isLeader || serverAheadMs === null) return null;
  return oldestId === null ? 0 : Math.max(0, performance.now() + serverAheadMs - streamIdMs(oldestId)) / 1_000;
}

async function withinScrape(question: (() => Promise<number>) | null): Promise<number | null> {
  return question === null ? null : answerWithin(scrapeWithinMs, question);
}
