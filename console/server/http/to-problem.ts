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

/** The server is a standby, or the session was told to read only. */
const readOnly = '25006';

/** Prisma has no connection for a transaction, or has lost it: all are busy, or the server is away. */
const noTransaction = 'P2028';

/**
 * What to tell a caller of whatever was thrown. Of an error that nobody foresaw only that there was one: its message may
 * hold anything. Total: never throws.
 */
export function toProblem(thrown: unknown): ProblemBody {
  if (thrown instanceof Problem) return thrown.body;
  if (thrown instanceof UsageError) return new Problem('invalid-request', thrown.message).body;
  if (hasZodFastifySchemaValidationErrors(thrown)) return ofValidation(thrown);
  if (isClientError(thrown)) return plainProblem(thrown.statusCode, isFastifys(thrown) ? thrown.message : undefined);
  if (thrown instanceof RedisNearlyFullError) return new Problem('unavailable', thrown.message).body;
  if (isRefusal(thrown)) return new Problem('unavailable', `Redis refuses: ${explainRedisError(thrown)}`).body;
  // The error of a socket may be of any server.
  if (classifyRedisError(thrown).code === 'CONNECTION') return new Problem('unavailable', 'Redis did not answer').body;
  return ofDatabase(thrown) ?? new Problem('internal', 'The console has met an error; its log has more').body;
}

function ofValidation(thrown: Parameters<typeof toProblem>[0] & object): ProblemBody {
  const { validation, validationContext } = thrown as {
    validation: { instancePath: string; message?: string }[];
    validationContext?: string;
  };
  // Ten say enough: a body may have thousands.
  const errors = validation.slice(0, 10).map(({ instancePath, message }) => ({
    in: validationContext ?? 'request',
    field: instancePath.replace(/^\//, '').slice(0, 200),
    message: (message ?? 'is not accepted').slice(0, 500),
  }));
  return new Problem('invalid-request', 'The request has something in it that is not accepted', { errors }).body;
}

/** An error of Fastify or of what sends files, such as for a body that is too large or a range that no file has. */
function isClientError(thrown: unknown): thrown is Error & { statusCode: number } {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return false;
  const { statusCode } = thrown;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}

/** Their messages tell of the request and nothing else. */
function isFastifys(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('FST_');
}

function ofDatabase(thrown: unknown): ProblemBody | null {
  const { class: class_, code } = classifyDatabaseError(thrown);
  if (code === queryCanceled)
    return new Problem('timed-out', 'PostgreSQL took too long; it is quicker with less, such as a shorter window').body;
  if (code === lockNotAvailable)
    return new Problem('unavailable', 'What was to be changed is being worked on; nothing was changed, so try again')
      .body;
  if (code === insufficientPrivilege)
    return new Problem(
      'forbidden',
      `The database user of the console lacks a right: ${describeDatabaseError(thrown).message}`,
    ).body;
  if (code === readOnly) return new Problem('unavailable', 'PostgreSQL only reads here, as a standby does').body;
  return class_ === 'transient' || code === noTransaction
    ? new Problem('unavailable', 'PostgreSQL did not answer').body
    : null;
}
