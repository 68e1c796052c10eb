import type { RequestFacts } from './request-facts.ts';

/** What a whole answer says, whether it came in one piece or as a stream. */
export type Answer = Omit<RequestFacts, 'api' | 'provider'>;

type Tokens = Pick<Answer, 'inputTokens' | 'cachedTokens' | 'outputTokens' | 'reasoningTokens'>;

/** A part that is larger than its whole was counted in some other way: then neither is known. */
export function toTokens({ inputTokens, cachedTokens, outputTokens, reasoningTokens }: Tokens): Tokens {
  const isInputOdd = inputTokens !== null && cachedTokens !== null && cachedTokens > inputTokens;
  const isOutputOdd = outputTokens !== null && reasoningTokens !== null && reasoningTokens > outputTokens;
  return {
    inputTokens: isInputOdd ? null : inputTokens,
    cachedTokens: isInputOdd ? null : cachedTokens,
    outputTokens: isOutputOdd ? null : outputTokens,
    reasoningTokens: isOutputOdd ? null : reasoningTokens,
  };
}

/** What is known of a stream that broke off: what came out by its end is not what its last event before says. */
export function withoutEnd(answer: Answer): Answer {
  return { ...answer, outputTokens: null, reasoningTokens: null, finishReason: null, toolCalls: null };
}
