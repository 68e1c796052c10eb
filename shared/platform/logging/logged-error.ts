import { type LoggedError, reportError, sayPlainly, withoutPasswords } from '../error-report.ts';
import { classifyDatabaseError } from '../postgres/database-errors.ts';
import { explainDatabaseError } from '../postgres/explain-database-error.ts';

/** Makes of whatever was thrown what may stand in a log. Total: never throws, whatever it is given. */
export function toLoggedError(thrown: unknown): LoggedError {
  return reportError(thrown, say);
}

/** What an error says, without what it quotes. */
export function messageOf(error: Error): string {
  return withoutPasswords(say(error));
}

function say(error: Error): string {
  return isOfDatabase(error) ? sayOfDatabase(error) : sayPlainly(error);
}

/** Prisma shows the arguments of a query, and its adapter wraps what the driver says. */
function isOfDatabase(error: Error): boolean {
  return /^(PrismaClient|DriverAdapterError)/.test(error.name) || 'severity' in error;
}

function sayOfDatabase(error: Error): string {
  const { class: class_, code } = classifyDatabaseError(error);
  if (class_ === 'unknown') return 'what it says may quote a query';
  const text = explainDatabaseError(error);
  // Of data exceptions the server quotes the value, and a trigger may say anything.
  if (code.startsWith('22')) return text.replaceAll(/".*"/gs, '"…"');
  return code.startsWith('P0') ? `${code}: raised by a trigger or a function` : text;
}
