import { type Answer, toTokens, withoutEnd } from './answer.ts';
import { usageWanted } from './openai-usage.ts';
import type { Selected } from './select-json.ts';
import { countOf, elementsOf, isObject, memberOf, sumOf, textOf, wordOf } from './selected-values.ts';
import type { StreamEnd } from './stream-events.ts';

const messageWanted = {
  id: true,
  type: true,
  content: [{ type: true }],
  stop_reason: true,
  usage: usageWanted,
} as const;

export const messagesWanted = {
  ...messageWanted,
  message: messageWanted,
  content_block: { type: true },
  delta: { stop_reason: true },
} as const;

/** A message in one piece. */
export function readMessage(body: Selected): Answer {
  return {
    ...messageTokens([memberOf(body, 'usage')]),
    finishReason: wordOf(memberOf(body, 'stop_reason')),
    toolCalls: elementsOf(memberOf(body, 'content')).filter(isToolUse).length,
  };
}

/** The same as a stream: its beginning tells what went in, its last delta what came out, and newer ones all of it once more. */
export function readMessageStream(events: readonly Selected[], { isDamaged }: StreamEnd): Answer {
  const usages: (Selected | undefined)[] = [];
  let finishReason: string | null = null;
  let toolCalls = 0;
  let isOver = false;
  let before: Selected | undefined;
  for (const event of events) {
    // What was said already: most events differ in their text only. Each beginning of a block counts.
    if (event === before && memberOf(event, 'content_block') === undefined) continue;
    before = event;
    const type = memberOf(event, 'type');
    if (type === 'message_start') usages.push(memberOf(memberOf(event, 'message'), 'usage'));
    if (type === 'content_block_start' && isToolUse(memberOf(event, 'content_block'))) toolCalls += 1;
    if (type === 'message_delta') {
      usages.push(memberOf(event, 'usage'));
      finishReason = wordOf(memberOf(memberOf(event, 'delta'), 'stop_reason')) ?? finishReason;
    }
    isOver ||= type === 'message_stop' || finishReason !== null;
  }
  const answer = { ...messageTokens(usages), finishReason, toolCalls };
  return isOver && !isDamaged ? answer : withoutEnd(answer);
}

/** Of each number the last one that was told counts. Those read from a cache and written to one are not in `input_tokens`. */
function messageTokens(usages: readonly (Selected | undefined)[]) {
  const last = (name: string): Selected | undefined =>
    usages.map((usage) => memberOf(usage, name)).findLast((value) => value !== undefined && value !== null);
  const cacheRead = last('cache_read_input_tokens');
  return toTokens({
    inputTokens: sumOf(last('input_tokens'), cacheRead, last('cache_creation_input_tokens')),
    cachedTokens: countOf(cacheRead),
    outputTokens: countOf(last('output_tokens')),
    reasoningTokens: null,
  });
}

/** Of the caller's tools and of the provider's own, such as `tool_use` and `server_tool_use`. */
function isToolUse(block: Selected | undefined): boolean {
  return isObject(block) && (textOf(memberOf(block, 'type'))?.endsWith('tool_use') ?? false);
}
