import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { signOfProxy } from '../../../shared/platform/request-origin.ts';
import { type ProblemBody, plainProblem, problemContentType } from './problem.ts';
import { toProblem } from './to-problem.ts';

/** Answers with a problem. It names the request, so that a person can find it in the log. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ProblemBody): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="sluice"');
  if (problem.status === 503) reply.header('retry-after', '5');
  return reply
    .code(problem.status)
    .type(problemContentType)
    .send(JSON.stringify({ ...problem, instance: `urn:sluice:request:${request.id}` }));
}

/** The server's error handlers. They log an error here, once, and only if the caller did not cause it. */
export function createErrorHandlers(logger: Logger, basePath: string) {
  const handle = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(thrown);
    if (problem.status >= 500) {
      const route = request.routeOptions?.url ?? 'none';
      logger[problem.status === 500 ? 'error' : 'warn']({ err: thrown, request: request.id, route }, 'request failed');
    }
    return sendProblem(request, reply, problem);
  };
  return {
    handle,
    notFound: (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const isAtWrongPath = basePath === '' && signOfProxy(request.raw) !== null;
      const hint = isAtWrongPath ? '. If a proxy serves the console at a sub-path, set SLUICE_CONSOLE_BASE_PATH' : '';
      return sendProblem(request, reply, plainProblem(404, `There is nothing at this address${hint}`));
    },
  };
}
