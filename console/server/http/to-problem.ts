import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { RedisNearlyFullError } from '../../../producers/core/memory-watch.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import {
  classifyDatabaseError,
  insufficientPrivilege,
  lockNotAvailable,
  queryCanceled,
} from '../../../shared/platform/postgres/database-errors.ts';
import { describeDatabaseError } from '../../../shared/platform/postgres/explain-database-error.ts';
import { classifyRedisError, explainRedisError, isRefusal } from '../../../shared/platform/redis/redis-errors.ts';
import { Problem, type ProblemBody, plainProblem } from './problem.ts';

/** The server is a standby, or the session is read-only. */
const readOnly = '25006';

/** Prisma has no connection for a transaction, or has lost it: all connections are busy, or the server is away. */
const noTransaction = 'P2028';

/**
 * What to tell a caller about an error. An unexpected error is only reported as such, since its message may contain
 * anything. Never throws.
 */
export function toProblem(thrown: unknown): ProblemBody {
  if (thrown instanceof Problem) return thrown.body;
  if (thrown instanceof UsageError) return new Problem('invalid-request', thrown.message).body;
  if (hasZodFastifySchemaValidationErrors(thrown)) return ofValidation(thrown);
  if (isClientError(thrown)) return plainProblem(thrown.statusCode, isFastifys(thrown) ? thrown.message : undefined);
  if (thrown instanceof RedisNearlyFullError) return new Problem('unavailable', thrown.message).body;
  if (isRefusal(thrown)) return new Problem('unavailable', `Redis refuses: ${explainRedisError(thrown)}`).body;
  // A socket error may come from any server.
  if (classifyRedisError(thrown).code === 'CONNECTION') return new Problem('unavailable', 'Redis did not answer').body;
  return ofDatabase(thrown) ?? new Problem('internal', 'The console met an unexpected error; see its log').body;
}

function ofValidation(thrown: Parameters<typeof toProblem>[0] & object): ProblemBody {
  const { validation, validationContext } = thrown as {
    validation: { instancePath: string; message?: string }[];
    validationContext?: string;
  };
  // Ten are enough: a body may have thousands.
  const errors = validation.slice(0, 10).map(({ instancePath, message }) => ({
    in: validationContext ?? 'request',
    field: instancePath.replace(/^\//, '').slice(0, 200),
    message: (message ?? 'is not accepted').slice(0, 500),
  }));
  return new Problem('invalid-request', 'The request contains something that is not accepted', { errors }).body;
}

/** An error of Fastify or of its static-file plugin, such as a body that is too large or a range that a file does not have. */
function isClientError(thrown: unknown): thrown is Error & { statusCode: number } {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return false;
  const { statusCode } = thrown;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}

/** Fastify's messages are about the request and nothing else. */
function isFastifys(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('FST_');
}

function ofDatabase(thrown: unknown): ProblemBody | null {
  const { class: class_, code } = classifyDatabaseError(thrown);
  if (code === queryCanceled)
    return new Problem('timed-out', 'PostgreSQL took too long; ask for less, such as a shorter window').body;
  if (code === lockNotAvailable)
    return new Problem('unavailable', 'Another process is working on the same rows; nothing was changed, so try again')
      .body;
  if (code === insufficientPrivilege)
    return new Problem(
      'forbidden',
      `The console's database user lacks a right: ${describeDatabaseError(thrown).message}`,
    ).body;
  if (code === readOnly) return new Problem('unavailable', 'PostgreSQL is read-only, as a standby is').body;
  return class_ === 'transient' || code === noTransaction
    ? new Problem('unavailable', 'PostgreSQL did not answer').body
    : null;
}
