import type { QueueName } from '../../shared/contracts/queues.ts';
import { explainDatabaseError } from '../../shared/database-errors.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { createThrottledLog } from '../../shared/throttled-log.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { createOutageGate, type OutageGate } from '../outage-gate.ts';
import type { RoleConfig } from '../role.ts';

const refusalLogEveryMs = 60_000;

/** The gate that all statements of the role go through, which says in the log and in the metrics what is going on. */
export function createDatabaseGate(deps: {
  queue: QueueName;
  config: RoleConfig;
  logger: Logger;
  metrics: WorkerMetrics;
  /** ends the repeating; what is not settled then is delivered again */
  signal: AbortSignal;
}): OutageGate {
  const { queue, config, logger, metrics, signal } = deps;
  const refusals = createThrottledLog<'every row'>(refusalLogEveryMs, (_kind, { lastError }) => {
    const reason = explainDatabaseError(lastError);
    logger.error({ reason }, 'database refuses every row; all jobs wait until this is mended');
  });
  return createOutageGate({
    backoff: config.retry,
    random: Math.random,
    signal,
    onRetry: ({ class: errorClass, code }, attempt, thrown) => {
      metrics.retries.inc({ queue, class: errorClass, code });
      if (errorClass === 'systemic') refusals.report('every row', toError(thrown));
      else if (attempt === 0)
        logger.warn({ code }, 'database is in trouble, one statement is repeated until it answers, the others wait');
    },
    onRecovered: (attempts) => logger.info({ attempts }, 'database answers again'),
  });
}
