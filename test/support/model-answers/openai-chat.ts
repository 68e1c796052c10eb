import { answer, chat, completions, embeddings, type Known, streamed, toEvents } from './model-answer.ts';

export const completion = (more: object, choice: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_770_000_000,
  model: 'gpt-4o-2024-08-06',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Say "usage":{"prompt_tokens":1}' },
      finish_reason: 'stop',
      ...choice,
    },
  ],
  ...more,
});

const piece = (delta: object, more: object = {}, reason: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_770_000_000,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  ...more,
});

export const details = {
  prompt_tokens: 1_000,
  completion_tokens: 300,
  total_tokens: 1_300,
  prompt_tokens_details: { cached_tokens: 896, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0, accepted_prediction_tokens: 0 },
};
export const detailed: Known = { inputTokens: 1_000, cachedTokens: 896, outputTokens: 300, reasoningTokens: 192 };
const call = (id: string, name = 'look') => ({ id, type: 'function', function: { name, arguments: '{"usage":{}}' } });

/** Chats, completions and embeddings. */
export const chats = [
  answer(
    'chat of 2023, whose usage has no details and comes first',
    chat,
    {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_680_000_000,
      model: 'gpt-3.5-turbo-0301',
      usage: { prompt_tokens: 56, completion_tokens: 31, total_tokens: 87 },
      choices: [{ message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop', index: 0 }],
    },
    { api: 'openai-chat', inputTokens: 56, outputTokens: 31, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'chat with details',
    chat,
    completion({ usage: details, service_tier: 'default', system_fingerprint: 'fp_1' }),
    { api: 'openai-chat', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'chat with parallel calls of tools',
    chat,
    completion(
      { usage: details },
      { message: { content: null, tool_calls: [call('1'), call('2'), call('3')] }, finish_reason: 'tool_calls' },
    ),
    { api: 'openai-chat', ...detailed, finishReason: 'tool_calls', toolCalls: 3 },
  ),
  answer(
    'chat with a call of a function, as it was once',
    chat,
    completion(
      { usage: details },
      { message: { content: null, function_call: { name: 'f', arguments: '{}' } }, finish_reason: 'function_call' },
    ),
    { api: 'openai-chat', ...detailed, finishReason: 'function_call', toolCalls: 1 },
  ),
  answer(
    'chat with null in place of calls',
    chat,
    completion({ usage: details }, { message: { content: 'x', tool_calls: null, function_call: null, refusal: 'no' } }),
    { api: 'openai-chat', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'chat with several choices',
    chat,
    completion({
      usage: details,
      choices: [
        { index: 1, message: { tool_calls: [call('1')] }, finish_reason: 'tool_calls' },
        { index: 0, message: { content: 'x' }, finish_reason: 'length' },
      ],
    }),
    { api: 'openai-chat', ...detailed, finishReason: 'length', toolCalls: 1 },
  ),
  answer('chat without usage', chat, completion({ usage: null }), {
    api: 'openai-chat',
    finishReason: 'stop',
    toolCalls: 0,
  }),
  answer(
    'chat of Azure',
    '/openai/deployments/d/chat/completions?api-version=2024-10-21',
    completion(
      { prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }], usage: details },
      { content_filter_results: {} },
    ),
    { api: 'openai-chat', provider: 'azure.ai.openai', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'chat of Groq',
    '/openai/v1/chat/completions',
    completion({ usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 }, x_groq: { id: 'r' } }),
    { api: 'openai-chat', provider: 'groq', inputTokens: 5, outputTokens: 6, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'chat of DeepSeek, which names its cache otherwise',
    chat,
    completion({
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      },
    }),
    {
      api: 'openai-chat',
      provider: 'deepseek',
      inputTokens: 100,
      cachedTokens: 64,
      outputTokens: 20,
      finishReason: 'stop',
      toolCalls: 0,
    },
    { model: 'deepseek-chat' },
  ),
  answer(
    'chat of xAI, which counts reasoning beside the completion',
    chat,
    completion({
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 420,
        completion_tokens_details: { reasoning_tokens: 300 },
      },
    }),
    {
      api: 'openai-chat',
      inputTokens: 100,
      outputTokens: 320,
      reasoningTokens: 300,
      finishReason: 'stop',
      toolCalls: 0,
    },
  ),
  answer(
    'chat of a server that names no object',
    chat,
    {
      choices: [{ message: { content: 'x' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    },
    { api: 'openai-chat', inputTokens: 1, outputTokens: 2, finishReason: 'stop', toolCalls: 0 },
  ),
  answer(
    'legacy completion',
    completions,
    {
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'm',
      choices: [{ text: 'x', index: 0, logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: 5, completion_tokens: 16, total_tokens: 21 },
    },
    { api: 'openai-completions', inputTokens: 5, outputTokens: 16, finishReason: 'length', toolCalls: 0 },
  ),
  answer(
    'embeddings',
    embeddings,
    {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.1, -2e-3] }],
      model: 'e',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    { api: 'openai-embeddings', inputTokens: 8, outputTokens: 0 },
  ),
  answer(
    'a list that is none of embeddings',
    '/v1/models',
    { object: 'list', data: [{ object: 'model', id: 'x' }] },
    {},
  ),
];

const callPart = (index: number, id?: string, text = '') => ({
  tool_calls: [
    {
      index,
      ...(id !== undefined && { id, type: 'function' }),
      function: { ...(id !== undefined && { name: 'look' }), arguments: text },
    },
  ],
});

const usageEvent = { ...piece({}), choices: [], usage: details };
const textPieces = ['Say ', '"usage":{"prompt_tokens":1}', 'data: [DONE]\n\n'].map((content) =>
  piece({ content }, { usage: null }),
);

export const streamedChats = [
  streamed(
    'chat with usage at its end',
    chat,
    toEvents([piece({ role: 'assistant', content: '' }), ...textPieces, piece({}, {}, 'stop'), usageEvent, '[DONE]']),
    completion({ usage: details }),
    { api: 'openai-chat', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  streamed(
    'chat without usage',
    chat,
    toEvents([piece({ content: 'x' }), piece({}, {}, 'length'), '[DONE]']),
    completion({}, { finish_reason: 'length' }),
    { api: 'openai-chat', finishReason: 'length', toolCalls: 0 },
  ),
  streamed(
    'chat with parallel calls, with ends of lines as Windows has them',
    chat,
    toEvents(
      [
        piece(callPart(0, 'a')),
        piece(callPart(0, undefined, '{"x":')),
        piece(callPart(0, undefined, '1}')),
        piece(callPart(1, 'b')),
        piece(callPart(1, undefined, '{}')),
        piece({}, {}, 'tool_calls'),
        usageEvent,
        '[DONE]',
      ],
      { end: '\r\n\r\n' },
    ),
    completion(
      { usage: details },
      { message: { content: null, tool_calls: [call('a'), call('b')] }, finish_reason: 'tool_calls' },
    ),
    { api: 'openai-chat', ...detailed, finishReason: 'tool_calls', toolCalls: 2 },
  ),
  streamed(
    'chat of a server that gives all calls the place 0',
    chat,
    toEvents([
      piece(callPart(0, 'a', '{}')),
      piece(callPart(0, 'b', '{}')),
      piece(callPart(0, 'b', '')),
      piece({}, { usage: details }, 'tool_calls'),
      '[DONE]',
    ]),
    completion({ usage: details }, { message: { tool_calls: [call('a'), call('b')] }, finish_reason: 'tool_calls' }),
    { api: 'openai-chat', ...detailed, finishReason: 'tool_calls', toolCalls: 2 },
  ),
  streamed(
    'chat with a call of a function, as it was once',
    chat,
    toEvents([
      piece({ function_call: { name: 'f', arguments: '' } }),
      piece({ function_call: { arguments: '{}' } }),
      piece({}, {}, 'function_call'),
      '[DONE]',
    ]),
    completion({}, { message: { function_call: { name: 'f', arguments: '{}' } }, finish_reason: 'function_call' }),
    { api: 'openai-chat', finishReason: 'function_call', toolCalls: 1 },
  ),
  streamed(
    'chat with two choices',
    chat,
    toEvents([
      { ...piece({}), choices: [{ index: 1, delta: callPart(0, 'a'), finish_reason: null }] },
      { ...piece({}), choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'stop' }] },
      { ...piece({}), choices: [{ index: 1, delta: {}, finish_reason: 'tool_calls' }] },
      '[DONE]',
    ]),
    completion({
      choices: [
        { index: 0, message: {}, finish_reason: 'stop' },
        { index: 1, message: { tool_calls: [call('a')] }, finish_reason: 'tool_calls' },
      ],
    }),
    { api: 'openai-chat', finishReason: 'stop', toolCalls: 1 },
  ),
  streamed(
    'chat of Azure',
    chat,
    toEvents([
      { id: '', object: '', model: '', choices: [], prompt_filter_results: [] },
      piece({ content: 'x' }),
      piece({}, {}, 'stop'),
      usageEvent,
      '[DONE]',
    ]),
    completion({ usage: details, prompt_filter_results: [] }),
    { api: 'openai-chat', provider: 'azure.ai.openai', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  streamed(
    'chat of Groq',
    chat,
    toEvents([
      piece({ content: 'x' }, { x_groq: { id: 'r' } }),
      piece({}, { x_groq: { id: 'r', usage: details } }, 'stop'),
      '[DONE]',
    ]),
    completion({ usage: details, x_groq: { id: 'r' } }),
    { api: 'openai-chat', provider: 'groq', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  streamed(
    'chat whose events are written over several lines',
    chat,
    `: a comment\n\n${[piece({ content: 'x' }), piece({}, {}, 'stop'), usageEvent]
      .map(
        (event) =>
          `${JSON.stringify(event, null, 1)
            .split('\n')
            .map((line) => `data: ${line}`)
            .join('\n')}\n\n`,
      )
      .join('')}data: [DONE]\n\n`,
    completion({ usage: details }),
    { api: 'openai-chat', ...detailed, finishReason: 'stop', toolCalls: 0 },
  ),
  streamed(
    'legacy completion',
    completions,
    toEvents([
      { object: 'text_completion', choices: [{ text: 'x', index: 0, finish_reason: null }] },
      {
        object: 'text_completion',
        choices: [{ text: '', index: 0, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 6 },
      },
      '[DONE]',
    ]),
    {
      object: 'text_completion',
      choices: [{ text: 'x', index: 0, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 6 },
    },
    { api: 'openai-completions', inputTokens: 5, outputTokens: 6, finishReason: 'stop', toolCalls: 0 },
  ),
];
