import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, sendAnswer } from '../http/answer.ts';
import type { ErrorHandlers } from '../http/errors.ts';
import { receive, type SendRouteDeps } from '../http/send-routes.ts';
import type { BodyTally } from '../intake/body-tally.ts';
import { type ExportResponse, encodeResponse, encodeStatus } from './messages.ts';
import { createSpanIntake } from './span-intake.ts';
import { spansOfJson, spansOfProtobuf } from './spans-of-body.ts';

const formats = new Map([
  ['application/json', 'json'],
  ['application/x-protobuf', 'protobuf'],
] as const);

/** `POST /v1/traces`: OTLP/HTTP. Answers and errors are in the format of the body. */
export function addTraceRoute(app: FastifyInstance, deps: SendRouteDeps, errors: ErrorHandlers): void {
  const intake = createSpanIntake(deps.requests, deps.redaction);
  app.post(
    '/v1/traces',
    { config: { scope: 'requests' }, errorHandler: errors.handleWith(sendStatus) },
    async (request, reply) => {
      await receive(request, reply, deps, intake, {
        formats,
        split: isProtobuf(request) ? spansOfProtobuf : spansOfJson,
        answer: (tally) => sendResponse(request, reply, toResponse(tally)),
      });
    },
  );
}

/** Everything but requests to models counts as rejected: it is not stored, and its sender should know. */
export function toResponse({ records, rejectedCount, ignored, rejected }: BodyTally): ExportResponse {
  const rejectedSpans = rejectedCount + ignored;
  if (rejectedSpans === 0) return {};
  const [first] = rejected;
  const reasons = [
    ...(ignored > 0 ? [`${ignored} are no requests to models (gen_ai.*)`] : []),
    ...(first === undefined ? [] : [`${rejectedCount} are refused, the first because ${first.field} ${first.reason}`]),
  ];
  const errorMessage = `${rejectedSpans} of ${records} spans are not stored: ${reasons.join('; ')}`;
  return { partialSuccess: { rejectedSpans, errorMessage } };
}

function sendResponse(request: FastifyRequest, reply: FastifyReply, response: ExportResponse): void {
  if (isProtobuf(request)) {
    sendAnswer(request, reply, { status: 200, body: encodeResponse(response), type: protobufType });
    return;
  }
  const { partialSuccess } = response;
  // In JSON of protobuf, a number of 64 bits is text.
  const body =
    partialSuccess === undefined
      ? {}
      : { partialSuccess: { ...partialSuccess, rejectedSpans: String(partialSuccess.rejectedSpans) } };
  sendAnswer(request, reply, { status: 200, body });
}

/** OTLP has a google.rpc.Status in place of our own form of errors. */
function sendStatus(request: FastifyRequest, reply: FastifyReply, { status, headers = {}, body }: Answer): void {
  const { message } = (body as { error: { message: string } }).error;
  const encoded = isProtobuf(request) ? { body: encodeStatus(message), type: protobufType } : { body: { message } };
  sendAnswer(request, reply, { status, headers, ...encoded });
}

const protobufType = 'application/x-protobuf';

function isProtobuf({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() === protobufType;
}
