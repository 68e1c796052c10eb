import type { BegunRequest, CompletedRequest } from './completed-request.ts';

/** The status of a request whose caller went away before there was an answer. */
const clientClosedRequest = 499;

/** What stands for the response that nobody waited for. */
const abandonedResponse = JSON.stringify({
  error: {
    type: 'client_disconnected',
    message: 'client cancelled before upstream response',
    code: clientClosedRequest,
  },
});

/**
 * The record of a request whose caller went away before the response began: status 499, an error in place of the response,
 * marked as incomplete. Pass it to `send`.
 *
 * @param request `completedAt` is `startedAt` unless it is given
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
