import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

/** What can go wrong with a request, and the matching HTTP status. */
const statusOf = {
  'invalid-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
  'timed-out': 504,
} as const;
export type ProblemName = keyof typeof statusOf;

export const problemContentType = 'application/problem+json';

/** The format of all errors. @see RFC 9457 */
export const problemSchema = z
  .object({
    type: z.string().describe('urn:sluice:problem:<name>, or about:blank if the status says everything'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    instance: z.string().optional().describe('identifies the request, as in the console’s log'),
    errors: z
      .array(z.object({ in: z.string(), field: z.string(), message: z.string() }))
      .optional()
      .describe('what is wrong, and where'),
  })
  .describe('What went wrong');

export type ProblemBody = z.infer<typeof problemSchema>;

/** Thrown where the cause is known. Its detail goes to the caller, so it contains no secret and nothing about the server. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly body: ProblemBody;

  constructor(name: ProblemName, detail: string, options: ErrorOptions & { errors?: ProblemBody['errors'] } = {}) {
    super(detail, options);
    const status = statusOf[name];
    this.body = {
      type: `urn:sluice:problem:${name}`,
      title: STATUS_CODES[status] ?? name,
      status,
      detail,
      ...(options.errors === undefined ? {} : { errors: options.errors }),
    };
  }
}

/** A problem that its HTTP status describes fully. */
export function plainProblem(status: number, detail?: string): ProblemBody {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail === undefined ? {} : { detail }),
  };
}
