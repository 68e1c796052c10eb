import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import type { NoHttpBody, NoHttpStatus } from '../../shared/platform/no-http.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { type Answer, sendAnswer } from './answer.ts';
import { Refusal, type RefusalCode } from './refusal.ts';

/** The server's error handlers. They log an error here, once, and only if the sender did not cause it. */
export function createErrorHandlers(logger: Logger, metrics: Pick<GatewayMetrics, 'refused'>) {
  /** @param send tells the sender, in the form that errors have on its route */
  const handleWith =
    (send: (request: FastifyRequest, reply: FastifyReply, answer: Answer) => void) =>
    (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
      // There is nobody left to answer, or there was an answer.
      if (reply.raw.headersSent) return;
      if (request.raw.destroyed && !request.raw.complete) {
        reply.hijack();
        reply.raw.destroy();
        return;
      }
      const refusal = toRefusal(thrown);
      if (refusal !== null) {
        metrics.refused(refusal.code);
        send(request, reply, refusal);
        return;
      }
      logger.error({ err: thrown, request: request.id, route: request.routeOptions?.url ?? 'none' }, 'request failed');
      const error = { code: 'internal', message: 'The gateway met an unexpected error; see its log' };
      send(request, reply, { status: 500, body: { error } });
    };
  const handle = handleWith(sendAnswer);
  return {
    handle,
    handleWith,
    badAddress(request: FastifyRequest, reply: FastifyReply): void {
      const message = 'The address cannot be read: it has a % that begins no character, or a part that is too long';
      handle(new Refusal('invalid-request', message), request, reply);
    },
    notFound(request: FastifyRequest, reply: FastifyReply): void {
      handle(new Refusal('not-found', 'There is nothing at this address, or not by this method'), request, reply);
    },
  };
}

export type ErrorHandlers = ReturnType<typeof createErrorHandlers>;

/** Null: the sender has not caused it. Fastify's own errors below 500 are about the request. */
function toRefusal(thrown: unknown): Refusal | null {
  if (thrown instanceof Refusal) return thrown;
  const { statusCode = 500 } = thrown instanceof Error ? (thrown as Error & { statusCode?: number }) : {};
  return statusCode < 500 ? new Refusal('invalid-request', STATUS_CODES[statusCode] ?? 'Bad Request') : null;
}

/** In place of an answer to what is no HTTP. */
export function toNoHttpBody(status: NoHttpStatus, error: NodeJS.ErrnoException): NoHttpBody {
  const code: RefusalCode = status === 408 ? 'request-timeout' : 'invalid-request';
  const message = status === 400 ? noHttp(error) : STATUS_CODES[status];
  return { type: 'application/json', body: { error: { code, message } } };
}

/** The parser's code says what is wrong, and nothing of what came. */
function noHttp({ code = '' }: NodeJS.ErrnoException): string {
  const named = /^HPE_\w+$/.test(code) ? ` (${code})` : '';
  return `What came is not HTTP/1.1${named}; see that the URL has http:// or https:// as the gateway has, and that Content-Length counts the bytes of the body`;
}
