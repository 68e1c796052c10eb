import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { classifyDatabaseError } from '../../../shared/database-errors.ts';
import { UsageError } from '../../../shared/errors.ts';
import { Problem, type ProblemBody, plainProblem } from './problem.ts';

/** Times that ran out: of a statement, and of a transaction by Prisma's own clock. */
const timeoutCodes = new Set(['57014', 'P2028']);

/**
 * What to tell a caller of whatever was thrown. Of an error that nobody foresaw only that there was one: its message may
 * hold anything. Total: never throws.
 */
export function toProblem(thrown: unknown): ProblemBody {
  if (thrown instanceof Problem) return thrown.body;
  if (thrown instanceof UsageError) return new Problem('invalid-request', thrown.message).body;
  if (hasZodFastifySchemaValidationErrors(thrown)) return ofValidation(thrown);
  const status = clientErrorStatus(thrown);
  if (status !== null) return plainProblem(status, thrown instanceof Error ? thrown.message : undefined);
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

/** Fastify's own errors, such as for a body that is too large or is no JSON. Their messages are constant. */
function clientErrorStatus(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('statusCode' in thrown)) return null;
  const { code, statusCode } = thrown;
  const isFastifys = typeof code === 'string' && code.startsWith('FST_');
  return isFastifys && typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

function ofDatabase(thrown: unknown): ProblemBody | null {
  const { class: class_, code } = classifyDatabaseError(thrown);
  if (timeoutCodes.has(code))
    return new Problem('timed-out', 'The answer took too long to find; a shorter window is quicker').body;
  if (code === '55P03')
    return new Problem('unavailable', 'What was to be changed is being worked on; nothing was changed, so try again')
      .body;
  return class_ === 'transient' ? new Problem('unavailable', 'PostgreSQL did not answer').body : null;
}
