import { type Answer, toTokens } from './answer.ts';
import type { Selected } from './select-json.ts';
import { countOf, memberOf, sumOf } from './selected-values.ts';

/** What is wanted of `usage`, in whatever shape. */
export const usageWanted = {
  prompt_tokens: true,
  completion_tokens: true,
  total_tokens: true,
  prompt_tokens_details: { cached_tokens: true },
  completion_tokens_details: { reasoning_tokens: true },
  // of DeepSeek
  prompt_cache_hit_tokens: true,
  input_tokens: true,
  output_tokens: true,
  input_tokens_details: { cached_tokens: true },
  output_tokens_details: { reasoning_tokens: true },
  // of Anthropic
  cache_read_input_tokens: true,
  cache_creation_input_tokens: true,
  // of spans, by several conventions
  'cache_read.input_tokens': true,
  'reasoning.output_tokens': true,
  reasoning_tokens: true,
  cachedInputTokens: true,
  reasoningTokens: true,
  'inputTokenDetails.cacheReadTokens': true,
  'outputTokenDetails.reasoningTokens': true,
} as const;

type Tokens = Pick<Answer, 'inputTokens' | 'cachedTokens' | 'outputTokens' | 'reasoningTokens'>;

/** The usage of chats, completions and embeddings. */
export function chatTokens(usage: Selected | undefined): Tokens {
  const input = memberOf(usage, 'prompt_tokens');
  const output = memberOf(usage, 'completion_tokens');
  const total = countOf(memberOf(usage, 'total_tokens'));
  const reasoning = memberOf(memberOf(usage, 'completion_tokens_details'), 'reasoning_tokens');
  // xAI counts reasoning apart, beside the completion: only the total tells it.
  const isApart = total !== null && countOf(reasoning) !== 0 && total === sumOf(input, output, reasoning);
  return toTokens({
    inputTokens: countOf(input),
    cachedTokens:
      countOf(memberOf(memberOf(usage, 'prompt_tokens_details'), 'cached_tokens')) ??
      countOf(memberOf(usage, 'prompt_cache_hit_tokens')),
    outputTokens: isApart ? sumOf(output, reasoning) : countOf(output),
    reasoningTokens: countOf(reasoning),
  });
}

/** The usage of responses. */
export function responseTokens(usage: Selected | undefined): Tokens {
  return toTokens({
    inputTokens: countOf(memberOf(usage, 'input_tokens')),
    cachedTokens: countOf(memberOf(memberOf(usage, 'input_tokens_details'), 'cached_tokens')),
    outputTokens: countOf(memberOf(usage, 'output_tokens')),
    reasoningTokens: countOf(memberOf(memberOf(usage, 'output_tokens_details'), 'reasoning_tokens')),
  });
}
