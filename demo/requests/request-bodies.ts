/** The bodies of the demo's requests and answers, as JSON or server-sent events. */

/** The text that one event of a stream carries, in bytes. */
const eventTextBytes = 64;

/** The body of a request. */
export function toRequestBody(options: {
  model: string;
  prompt: string;
  stream: boolean;
  background: boolean;
}): string {
  const { model, prompt, stream, background } = options;
  return JSON.stringify({
    model,
    input: [{ role: 'user', content: [{ type: 'input_text', text: prompt }] }],
    temperature: 0.7,
    ...(stream && { stream }),
    ...(background && { background }),
  });
}

/** What a model has said. */
export interface Answer {
  id: string;
  model: string;
  text: string;
  inputTokens: number;
  outputTokens: number;
}

/** An answer in one piece. */
export function toJsonResponse({ id, model, text, inputTokens, outputTokens }: Answer): string {
  return JSON.stringify({
    id: `resp_${id}`,
    object: 'response',
    status: 'completed',
    model,
    output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
    usage: { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
  });
}

/** An answer as a stream; one that was interrupted lacks its end. */
export function toEventStream({ id, model, text }: Answer, { isBrokenOff }: { isBrokenOff: boolean }): string {
  const events: string[] = [];
  for (let start = 0; start < text.length; start += eventTextBytes)
    events.push(toEvent(id, model, { content: text.slice(start, start + eventTextBytes) }));
  if (!isBrokenOff) events.push(toEvent(id, model, {}), 'data: [DONE]\n\n');
  return events.join('');
}

function toEvent(id: string, model: string, delta: object): string {
  const chunk = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', model, choices: [{ index: 0, delta }] };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** A gateway's answer if the model gives none. */
export function toErrorResponse(status: number): string {
  const type = errorTypes[status] ?? 'server_error';
  return JSON.stringify({ error: { type, message: `the request ended with status ${status}`, code: status } });
}

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'insufficient_credits',
  404: 'not_found_error',
  429: 'rate_limit_error',
};
