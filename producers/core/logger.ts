import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { createLineCounter } from '../../shared/platform/logging/line-counter.ts';
import { openLog } from '../../shared/platform/logging/open-log.ts';
import { describeError, toCleanError } from './clean-error.ts';
import type { ProducerLogger } from './problem-log.ts';

const name = 'sluice-producer';

/** The number that pino has for a warning, so that the lines fit among those of a host that logs by it. */
const warn = 40;

/**
 * The logger of a producer: it never throws, and of an error in the field `err` only what may stand in a log is handed on.
 *
 * @param given the host's own; undefined: JSON lines to standard error, and those that cannot be written are counted in the
 *   registry
 */
export function createProducerLogger(given: ProducerLogger | undefined, registry: Registry): ProducerLogger {
  return given === undefined ? createOwnLogger(registry) : guard(given);
}

function guard(logger: ProducerLogger): ProducerLogger {
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

/** JSON lines as pino writes them, without pino: fields first, a constant message last. */
function createOwnLogger(registry: Registry): ProducerLogger {
  // Made with the first: until then a host has no metric that it has no use for.
  const onDropped = () => createLineCounter(registry).dropped();
  const log = openLog(2, { name, onDropped });
  const { pid } = process;
  const host = hostname();
  return {
    warn(fields: { err?: unknown }, msg) {
      const shown = 'err' in fields ? { ...fields, err: describeError(fields.err) } : fields;
      log.write(`${JSON.stringify({ level: warn, time: Date.now(), pid, hostname: host, name, ...shown, msg })}\n`);
    },
  };
}
