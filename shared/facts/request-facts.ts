/** The shapes of bodies that are known. */
export const apis = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'openai-embeddings',
  'anthropic-messages',
  'gemini',
] as const;
export type Api = (typeof apis)[number];

/**
 * What the bodies of a request say. Null is what they do not say, or not beyond doubt.
 *
 * All counts are whole numbers from 0 to a thousand million.
 */
export interface RequestFacts {
  /** who served it: by the names of OpenTelemetry's conventions, such as `anthropic` or `azure.ai.openai` */
  provider: string | null;
  api: Api | null;
  /** all tokens that went in, those from a cache included */
  inputTokens: number | null;
  /** of them, those that were read from a cache */
  cachedTokens: number | null;
  /** all tokens that came out, those of reasoning included */
  outputTokens: number | null;
  /** of them, those of reasoning */
  reasoningTokens: number | null;
  /** in the provider's word, such as `stop`, `tool_calls` or `end_turn` */
  finishReason: string | null;
  /** how many calls of tools the response asks for or has made */
  toolCalls: number | null;
}

/** Raise it when a reader finds more than the one before it. It is stored with the facts. */
export const factsVersion = 1;

export const noFacts: RequestFacts = Object.freeze({
  provider: null,
  api: null,
  inputTokens: null,
  cachedTokens: null,
  outputTokens: null,
  reasoningTokens: null,
  finishReason: null,
  toolCalls: null,
});
