import { type LoggedError, reportError, sayPlainly } from '../../shared/platform/error-report.ts';

/** What a producer logs of an error: a host's own errors may come by, and those of a database's client quote queries and rows. */
export function describeError(thrown: unknown): LoggedError {
  return reportError(thrown, (error) => (isOfDatabase(error) ? 'what it says may quote a query' : sayPlainly(error)));
}

function isOfDatabase(error: Error): boolean {
  return 'severity' in error || 'clientVersion' in error || /Client\w*Error$|AdapterError$/.test(error.name);
}

/** The same as an Error, for a logger that is not ours. */
export function toCleanError(thrown: unknown): Error {
  const { type, message, code, stack } = describeError(thrown);
  const error = new Error(message);
  Object.defineProperties(error, { name: hidden(type), stack: hidden(stack) });
  return code === undefined ? error : Object.assign(error, { code });
}

function hidden(value: string): PropertyDescriptor {
  return { value, enumerable: false, configurable: true, writable: true };
}
