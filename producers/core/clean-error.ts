import { type LoggedError, reportError, sayPlainly } from '../../shared/platform/error-report.ts';

/** Describes an error for the log. It may be the host's own, and errors of a database client quote queries and rows. */
export function describeError(thrown: unknown): LoggedError {
  return reportError(thrown, (error) => (isOfDatabase(error) ? 'what it says may quote a query' : sayPlainly(error)));
}

function isOfDatabase(error: Error): boolean {
  return 'severity' in error || 'clientVersion' in error || /Client\w*Error$|AdapterError$/.test(error.name);
}

/** Describes an error as an Error, for the host's logger. */
export function toCleanError(thrown: unknown): Error {
  const { type, message, code, stack } = describeError(thrown);
  const error = new Error(message);
  Object.defineProperties(error, { name: hidden(type), stack: hidden(stack) });
  return code === undefined ? error : Object.assign(error, { code });
}

function hidden(value: string): PropertyDescriptor {
  return { value, enumerable: false, configurable: true, writable: true };
}
