import type { QueueName } from '../../shared/contracts/queues.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import { describeDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { type CircuitBreaker, createCircuitBreaker } from '../runtime/circuit-breaker.ts';
import type { RoleConfig } from '../runtime/role.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import type { WorkerMetrics } from './metrics.ts';

const troubleLogEveryMs = 60_000;

const messages = {
  trouble: 'database is in trouble; one statement is retried until the database answers, the others wait',
  'every row': 'the database refuses every row; all jobs wait until the cause is fixed',
  'own fault': 'a statement fails while the database accepts others; if it fails the same way again, it is split',
};

/** The breaker that all statements of the role go through, which says in the log and in the metrics what is going on. */
export function createDatabaseBreaker(deps: {
  queue: QueueName;
  config: RoleConfig;
  logger: Logger;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
  /** ends the repeating; what is not settled then is delivered again */
  signal: AbortSignal;
  /** Has the database take a good record. @throws what the database says */
  rehearse(): Promise<unknown>;
}): { breaker: CircuitBreaker; closeLog(): void } {
  const { queue, config, logger, metrics, tellMetrics, signal, rehearse } = deps;
  const log = createThrottledLog<keyof typeof messages>(troubleLogEveryMs, (kind, { count, lastError }) => {
    const { message: reason, ...place } = describeDatabaseError(lastError);
    const level = kind === 'every row' ? 'error' : 'warn';
    logger[level]({ ...place, reason, failures: count }, messages[kind]);
  });
  const breaker = createCircuitBreaker({
    backoff: config.retry,
    random: Math.random,
    signal,
    rehearse,
    onRetry: ({ class: errorClass, code }, _attempt, thrown, others) => {
      tellMetrics(() => metrics.retries.inc({ queue, class: errorClass, code }));
      const kind = others === 'taken' ? 'own fault' : errorClass === 'transient' ? 'trouble' : 'every row';
      log.report(kind, toError(thrown));
    },
    onRecovered: (attempts) => logger.info({ attempts }, 'database answers again'),
  });
  return { breaker, closeLog: log.close };
}
