import type { Registry } from 'prom-client';
import { createLineCounter } from '../shared/line-counter.ts';
import { toCleanError } from '../shared/logged-error.ts';
import { createLogger } from '../shared/logger.ts';
import { openLog } from '../shared/open-log.ts';
import type { ProducerLogger } from './problem-log.ts';

const name = 'sluice-producer';

/**
 * The logger of a producer: it never throws, and of an error in the field `err` only what may stand in a log is handed on.
 *
 * @param given the host's own; undefined: JSON lines to standard error, and those that cannot be written are counted in the
 *   registry
 */
export function createProducerLogger(given: ProducerLogger | undefined, registry: Registry): ProducerLogger {
  const logger = given ?? createOwnLogger(registry);
  return {
    warn(fields: { err?: unknown }, message) {
      try {
        const result: unknown = logger.warn(
          'err' in fields ? { ...fields, err: toCleanError(fields.err) } : fields,
          message,
        );
        // One that is asynchronous may fail later.
        if (result instanceof Promise) result.catch(() => undefined);
      } catch {
        // A logger that throws must not reach the code that had something to report.
      }
    },
  };
}

function createOwnLogger(registry: Registry): ProducerLogger {
  // Made with the first: until then a host has no metric that it has no use for.
  const onDropped = () => createLineCounter(registry).dropped();
  return createLogger({ name, level: 'warn' }, openLog(2, { name, onDropped }));
}
