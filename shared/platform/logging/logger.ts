import { type DestinationStream, type Logger, pino } from 'pino';
import { toLoggedError } from './logged-error.ts';
import { openLog } from './open-log.ts';

export type { Logger };

/** Fields whose values never reach a log, wherever in an object of up to three levels they stand. */
const secretFields = [
  'password',
  'token',
  'authorization',
  'apiKey',
  'connectionString',
  'databaseUrl',
  'redisUrl',
  'sentinelPassword',
];

/**
 * JSON lines: fields first, a constant message last. Payloads are not logged; secrets are cut out here once for all, and of an
 * error only what `toLoggedError` lets through.
 *
 * @param destination @default standard output
 */
export function createLogger(options: { level: string; name: string }, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      name: options.name,
      // A text there is one of ours; nothing here throws texts.
      serializers: { err: (err: unknown) => (typeof err === 'string' ? err : toLoggedError(err)) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[hidden]' },
    },
    destination ?? openLog(1, { name: options.name }),
  );
}
