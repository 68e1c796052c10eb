import { answer } from './model-answer.ts';

/** What the gateway makes of spans. */
export const ofSpans = [
  answer(
    'what the gateway makes of a span',
    'gen_ai/chat',
    {
      id: 'x',
      model: 'm',
      finish_reasons: ['tool_calls'],
      usage: { input_tokens: 10, output_tokens: 5, 'cache_read.input_tokens': 4, 'reasoning.output_tokens': 2 },
      messages: [
        { role: 'assistant', parts: [{ type: 'text' }, { type: 'tool_call', name: 'a' }], finish_reason: 'tool_calls' },
      ],
    },
    { inputTokens: 10, cachedTokens: 4, outputTokens: 5, reasoningTokens: 2, finishReason: 'tool_calls', toolCalls: 1 },
  ),
  answer(
    'what it makes of one by older conventions',
    'gen_ai/chat',
    {
      finish_reasons: ['stop'],
      usage: { input_tokens: 10, output_tokens: 5 },
      messages: [{ role: 'assistant', tool_calls: [{}, {}] }],
    },
    { inputTokens: 10, outputTokens: 5, finishReason: 'stop', toolCalls: 2 },
  ),
  answer(
    'what it makes of one whose messages were not recorded',
    'gen_ai/chat',
    { usage: { input_tokens: 10, output_tokens: 5, cachedInputTokens: 3, reasoningTokens: 1 } },
    { inputTokens: 10, cachedTokens: 3, outputTokens: 5, reasoningTokens: 1 },
  ),
];
