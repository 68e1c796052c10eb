import { toError } from '../../shared/platform/errors.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';

/** Tells metrics what has happened. */
export type TellMetrics = (tell: () => void) => void;

/** Who tells metrics, and what of that metrics refuse. */
export interface MetricsTeller {
  tellMetrics: TellMetrics;
  /** Ends its log. */
  close(): void;
}

const logEveryMs = 60_000;

/**
 * A metric refuses some values, such as an increase below zero, by an error. What has been done is done all the same: the
 * error is logged and goes no further. What is committed would be repeated else, as if it had failed.
 */
export function createMetricsTeller(logger: Logger): MetricsTeller {
  const refusals = createThrottledLog<'metric'>(logEveryMs, (_kind, { count, lastError }) => {
    logger.error({ count, err: lastError }, 'a metric refused a value, so it tells too little');
  });
  return {
    tellMetrics(tell) {
      try {
        tell();
      } catch (error) {
        refusals.report('metric', toError(error));
      }
    },
    close: refusals.close,
  };
}
