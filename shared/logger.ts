import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/** Fields whose values never reach a log, wherever in an object of up to three levels they stand. */
const secretFields = ['password', 'token', 'authorization', 'apiKey', 'connectionString', 'databaseUrl', 'redisUrl'];

/** JSON lines: fields first, a constant message last. Payloads are not logged; secrets are cut out here once for all. */
export function createLogger(options: { level: string; name: string }, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      name: options.name,
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[hidden]' },
    },
    destination ?? pino.destination(1),
  );
}
