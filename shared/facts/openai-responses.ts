import { type Answer, withoutEnd } from './answer.ts';
import { responseTokens, usageWanted } from './openai-usage.ts';
import type { Selected } from './select-json.ts';
import { elementsOf, memberOf, textOf, wordOf } from './selected-values.ts';
import type { StreamEnd } from './stream-events.ts';

const responseWanted = {
  object: true,
  status: true,
  output: [{ type: true }],
  incomplete_details: { reason: true },
  usage: usageWanted,
} as const;

export const responsesWanted = { ...responseWanted, response: responseWanted } as const;

const ends = new Set(['completed', 'incomplete', 'failed', 'cancelled']);

/** A response in one piece. One that still runs in the background has no end yet. */
export function readResponse(body: Selected): Answer {
  const status = textOf(memberOf(body, 'status'));
  const output = memberOf(body, 'output');
  const answer: Answer = {
    ...responseTokens(memberOf(body, 'usage')),
    finishReason: wordOf(memberOf(memberOf(body, 'incomplete_details'), 'reason')) ?? wordOf(status),
    toolCalls: Array.isArray(output) ? elementsOf(output).filter(isToolCall).length : null,
  };
  return status !== null && ends.has(status) ? answer : withoutEnd(answer);
}

/** The last event of a stream has the whole response. */
export function readResponseStream(events: readonly Selected[], _end: StreamEnd): Answer {
  const last = events.findLast((event) => {
    const type = textOf(memberOf(event, 'type')) ?? '';
    return type.startsWith('response.') && ends.has(type.slice('response.'.length));
  });
  return readResponse(memberOf(last, 'response') ?? null);
}

/** Calls of functions and of the provider's own tools, such as `function_call` and `web_search_call`. */
function isToolCall(item: Selected): boolean {
  return textOf(memberOf(item, 'type'))?.endsWith('_call') ?? false;
}
