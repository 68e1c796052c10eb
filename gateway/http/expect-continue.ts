import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

const waiting = new WeakSet<IncomingMessage>();

/** A sender that asks first (`Expect: 100-continue`) is told to go on only when its body is wanted. */
export function continueOnDemand(server: Server): void {
  server.on('checkContinue', ((request, response) => {
    waiting.add(request);
    server.emit('request', request, response);
  }) satisfies RequestListener);
}

/** Call this when the body is about to be read. Writes `100 Continue` if the sender waits for it. */
export function writeContinue(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}
