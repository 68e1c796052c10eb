import { answer, gemini, geminiStream, type Known, streamed, toEvents, vertex } from './model-answer.ts';

const usageMetadata = {
  promptTokenCount: 120,
  candidatesTokenCount: 40,
  thoughtsTokenCount: 200,
  cachedContentTokenCount: 64,
  totalTokenCount: 360,
};
const generated = (more: object, parts: object[] = [{ text: 'x' }]) => ({
  candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r',
  ...more,
});
const geminiFacts: Known = {
  api: 'gemini',
  provider: 'gcp.gemini',
  inputTokens: 120,
  cachedTokens: 64,
  outputTokens: 240,
  reasoningTokens: 200,
};
const functionCall = (name?: string) => ({ functionCall: { ...(name && { name }), args: { usageMetadata: 1 } } });

export const ofGoogle = [
  answer(
    'content of Gemini 1.0',
    gemini,
    generated({ usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6, totalTokenCount: 11 } }),
    { api: 'gemini', provider: 'gcp.gemini', inputTokens: 5, outputTokens: 6, finishReason: 'STOP', toolCalls: 0 },
  ),
  answer('content with thoughts, pretty-printed as it comes', gemini, JSON.stringify(generated({}), null, 2), {
    ...geminiFacts,
    finishReason: 'STOP',
    toolCalls: 0,
  }),
  answer('content with calls of functions', gemini, generated({}, [functionCall('a'), functionCall('b')]), {
    ...geminiFacts,
    finishReason: 'STOP',
    toolCalls: 2,
  }),
  answer(
    'content that is all thoughts, where what is 0 is left out',
    gemini,
    generated({
      usageMetadata: { promptTokenCount: 10, thoughtsTokenCount: 30, totalTokenCount: 40 },
      candidates: [{ finishReason: 'MAX_TOKENS', index: 0 }],
    }),
    {
      api: 'gemini',
      provider: 'gcp.gemini',
      inputTokens: 10,
      outputTokens: 30,
      reasoningTokens: 30,
      finishReason: 'MAX_TOKENS',
      toolCalls: 0,
    },
  ),
  answer(
    'content with prompts of tools',
    gemini,
    generated({
      usageMetadata: {
        promptTokenCount: 10,
        toolUsePromptTokenCount: 90,
        candidatesTokenCount: 5,
        totalTokenCount: 105,
      },
    }),
    { api: 'gemini', provider: 'gcp.gemini', inputTokens: 100, outputTokens: 5, finishReason: 'STOP', toolCalls: 0 },
  ),
  answer(
    'content of a prompt that is blocked',
    gemini,
    { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 } },
    { api: 'gemini', provider: 'gcp.gemini', inputTokens: 10, outputTokens: 0 },
  ),
  answer('content of Vertex AI', vertex, generated({ usageMetadata: { ...usageMetadata, trafficType: 'ON_DEMAND' } }), {
    ...geminiFacts,
    provider: 'gcp.vertex_ai',
    finishReason: 'STOP',
    toolCalls: 0,
  }),
];

export const streamedGemini = [
  streamed(
    'content as events',
    `${geminiStream}?alt=sse`,
    toEvents(
      [
        generated({
          candidates: [{ content: { parts: [{ text: 'x' }] }, index: 0 }],
          usageMetadata: { promptTokenCount: 120, totalTokenCount: 120 },
        }),
        generated({ candidates: [{ content: { parts: [functionCall('a')] }, index: 0 }] }),
        generated({}, [functionCall('b')]),
      ],
      { end: '\r\n\r\n' },
    ),
    generated({}, [{ text: 'x' }, functionCall('a'), functionCall('b')]),
    { ...geminiFacts, finishReason: 'STOP', toolCalls: 2 },
  ),
  streamed(
    'content as a list, with a call in parts',
    geminiStream,
    JSON.stringify(
      [
        generated({
          candidates: [{ content: { parts: [functionCall('a')] }, index: 0 }],
          usageMetadata: { promptTokenCount: 120 },
        }),
        generated({ candidates: [{ content: { parts: [functionCall()] }, index: 0 }] }),
        generated({}, [functionCall()]),
      ],
      null,
      2,
    ),
    generated({}, [functionCall('a')]),
    { ...geminiFacts, finishReason: 'STOP', toolCalls: 1 },
  ),
];
