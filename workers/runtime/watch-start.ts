import { answerWithin } from '../../shared/platform/deadline.ts';
import { databaseAnswers } from '../../shared/platform/readiness.ts';
import { startProgressWatch } from './progress-watch.ts';
import type { Role, RoleConfig, RoleDeps } from './role.ts';

const answerWithinMs = 1_000;

/**
 * The role, which also answers for its beginning: not ready until it has begun, and stuck when it has not begun for
 * `SLUICE_STUCK_AFTER_MS` although Redis and PostgreSQL answer and it knows of nothing that it waits for. A restart would
 * not help against what it knows of, such as a lock that somebody holds.
 */
export function watchStart(
  role: Role,
  { config, database, redis }: Pick<RoleDeps, 'database' | 'redis'> & { config: RoleConfig },
): Role {
  let isStarting = true;
  const watch = startProgressWatch(
    {
      settledJobs: () => 0,
      heldRecords: () => 0,
      takeableJobs: async () => ((await answerWithin(answerWithinMs, () => redis.ping())) === null ? null : 1),
      exemption: role.notReadyReason,
      databaseAnswers: () => databaseAnswers(database),
      now: () => performance.now(),
    },
    config.worker.stuckAfterMs,
    'Redis and PostgreSQL answer, but it has not started to work',
  );
  const begun = (): void => {
    isStarting = false;
    void watch.stop();
  };
  return {
    get heldRecords(): number {
      return role.heldRecords;
    },
    ...(role.failed === undefined ? {} : { failed: role.failed }),
    ...(role.askRedis === undefined ? {} : { askRedis: role.askRedis }),
    notReadyReason: () => role.notReadyReason() ?? (isStarting ? 'starting, taking no work yet' : null),
    livenessFailure: () => (isStarting ? watch.livenessFailure() : role.livenessFailure()),
    start: () => role.start().finally(begun),
    async stop(timeoutMs: number): Promise<boolean> {
      const [inTime] = await Promise.all([role.stop(timeoutMs), watch.stop()]);
      return inTime;
    },
  };
}
