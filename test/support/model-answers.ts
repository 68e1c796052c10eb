import { ofAnthropic, streamedMessages } from './model-answers/anthropic-messages.ts';
import { odd, refused } from './model-answers/bad-answers.ts';
import { ofGoogle, streamedGemini } from './model-answers/gemini.ts';
import type { ModelAnswer, StreamedAnswer } from './model-answers/model-answer.ts';
import { chats, streamedChats } from './model-answers/openai-chat.ts';
import { ofResponses, streamedResponses } from './model-answers/openai-responses.ts';
import { ofSpans } from './model-answers/spans.ts';

/** Answers in one piece. */
export const wholeAnswers: readonly ModelAnswer[] = [
  ...chats,
  ...ofResponses,
  ...ofAnthropic,
  ...ofGoogle,
  ...ofSpans,
  ...refused,
  ...odd,
];

export const streamedAnswers: readonly StreamedAnswer[] = [
  ...streamedChats,
  ...streamedResponses,
  ...streamedMessages,
  ...streamedGemini,
];
