import type { Worker } from 'bullmq';
import { messageOf } from '../../shared/platform/logging/logged-error.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import { FailedJobError } from './failed-job-error.ts';
import type { JobDeps } from './job-delays.ts';

const troubleLogEveryMs = 10_000;

/** Says in the log and in the metrics how jobs end, and what BullMQ meets. */
export function reportEvents(
  worker: Worker,
  {
    definition: { queue },
    logger,
    metrics,
    tellMetrics,
  }: Pick<JobDeps, 'definition' | 'logger' | 'metrics' | 'tellMetrics'>,
): { close(): void } {
  const trouble = createThrottledLog<'queue'>(troubleLogEveryMs, (_kind, { count, lastError }) => {
    logger.warn({ count, err: lastError }, 'queue trouble');
  });
  worker.on('completed', () => tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'completed' })));
  worker.on('stalled', (jobId) => {
    tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'stalled' }));
    logger.warn({ jobId }, 'job had stalled; processing it again');
  });
  worker.on('failed', (job, error) => {
    // What the server says may quote a row; that stays with the job.
    const { code: reason, records } = error instanceof FailedJobError ? error : { code: messageOf(error), records: 0 };
    tellMetrics(() => {
      metrics.jobs.inc({ queue, outcome: 'failed' });
      metrics.records.inc({ queue, outcome: 'failed' }, records);
    });
    logger.error({ jobId: job?.id, reason }, 'job failed; its records stay in the failed set');
  });
  worker.on('error', (error) => trouble.report('queue', error));
  return trouble;
}
