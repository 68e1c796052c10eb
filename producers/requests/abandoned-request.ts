import type { BegunRequest, CompletedRequest } from './completed-request.ts';

/** The status of a request whose caller disconnected before there was a response. */
const clientClosedRequest = 499;

/** Stored in place of the response that nobody waited for. */
const abandonedResponse = JSON.stringify({
  error: {
    type: 'client_disconnected',
    message: 'client cancelled before upstream response',
    code: clientClosedRequest,
  },
});

/**
 * Describes a request whose caller disconnected before the response began: status 499, an error in place of the response,
 * marked as incomplete. Pass it to `send`.
 *
 * @param request `completedAt` defaults to `startedAt`
 */
export function abandonedRequest(request: BegunRequest & Pick<CompletedRequest, 'completedAt'>): CompletedRequest {
  return {
    ...request,
    statusCode: clientClosedRequest,
    responseBody: abandonedResponse,
    completedAt: request.completedAt ?? request.startedAt ?? null,
    isStream: false,
    isIncomplete: true,
  };
}
