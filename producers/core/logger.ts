import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { createLineCounter } from '../../shared/platform/logging/line-counter.ts';
import { openLog } from '../../shared/platform/logging/open-log.ts';
import { describeError, toCleanError } from './clean-error.ts';
import type { ProducerLogger } from './problem-log.ts';

const name = 'sluice-producer';

/** Pino's number for a warning, so that the lines fit those of a host that logs with pino. */
const warn = 40;

/**
 * Creates the logger of a producer. It never throws. Of an error in the field `err`, it logs only what is safe to log.
 *
 * @param given the host's own; undefined: JSON lines to standard error. Lines that cannot be written are counted in the registry
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
        // An asynchronous logger may fail later.
        if (result instanceof Promise) result.catch(() => undefined);
      } catch {
        // A logger that throws must not reach the code that had something to report.
      }
    },
  };
}

/** JSON lines as pino writes them, without pino: fields first, a constant message last. */
function createOwnLogger(registry: Registry): ProducerLogger {
  // Created with the first dropped line: until then the host has no metric that it does not need.
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
