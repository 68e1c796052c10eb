import { type Answer, toTokens } from './answer.ts';
import type { Selected } from './select-json.ts';
import { countOf, elementsOf, isObject, memberOf, textOf, wordOf } from './selected-values.ts';

export const spanWanted = {
  finish_reasons: [true],
  messages: [{ tool_calls: [true], parts: [{ type: true }] }],
} as const;

/** What the gateway makes of a span of OpenTelemetry: see `toRequestInput`. Messages are there only where they were recorded. */
export function readSpanAnswer(body: Selected): Answer {
  const usage = memberOf(body, 'usage');
  const messages = memberOf(body, 'messages');
  return {
    ...toTokens({
      inputTokens: countOf(memberOf(usage, 'input_tokens')),
      cachedTokens: firstCount(usage, cachedNames),
      outputTokens: countOf(memberOf(usage, 'output_tokens')),
      reasoningTokens: firstCount(usage, reasoningNames),
    }),
    finishReason: wordOf(elementsOf(memberOf(body, 'finish_reasons'))[0]),
    toolCalls: Array.isArray(messages)
      ? elementsOf(messages).reduce((sum: number, one) => sum + callsIn(one), 0)
      : null,
  };
}

const cachedNames = [
  'cache_read.input_tokens',
  'cache_read_input_tokens',
  'cachedInputTokens',
  'inputTokenDetails.cacheReadTokens',
];
const reasoningNames = [
  'reasoning.output_tokens',
  'reasoning_tokens',
  'reasoningTokens',
  'outputTokenDetails.reasoningTokens',
];

function firstCount(usage: Selected | undefined, names: readonly string[]): number | null {
  for (const name of names) {
    const count = countOf(memberOf(usage, name));
    if (count !== null) return count;
  }
  return null;
}

/** By the present conventions as parts, by older ones as those of OpenAI. */
function callsIn(message: Selected): number {
  const parts = elementsOf(memberOf(message, 'parts')).filter((part) => textOf(memberOf(part, 'type')) === 'tool_call');
  return parts.length + elementsOf(memberOf(message, 'tool_calls')).filter(isObject).length;
}
