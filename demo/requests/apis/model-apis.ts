import { anthropicMessages } from './anthropic-messages.ts';
import { gemini } from './gemini.ts';
import type { ModelApi } from './model-api.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';

/** By the name of their shape. */
export const modelApis = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'openai-embeddings': openaiEmbeddings,
  'anthropic-messages': anthropicMessages,
  gemini,
} satisfies Record<string, ModelApi>;

export type ApiName = keyof typeof modelApis;
