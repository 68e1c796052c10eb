import { noFacts, type RequestFacts } from '../../shared/facts/request-facts.ts';

/** A response in a shape of a provider, and what it says. */
export interface ModelAnswer {
  name: string;
  endpoint: string;
  model: string;
  statusCode: number;
  body: string;
  facts: RequestFacts;
}

type Known = Partial<RequestFacts>;

const chat = '/v1/chat/completions';
const completions = '/v1/completions';
const responses = '/v1/responses';
const embeddings = '/v1/embeddings';
const messages = '/v1/messages';
const gemini = '/v1beta/models/gemini-2.5-flash:generateContent';
const geminiStream = '/v1beta/models/gemini-2.5-flash:streamGenerateContent';
const vertex = '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent';

const answer = (name: string, endpoint: string, body: unknown, facts: Known, more: Partial<ModelAnswer> = {}) => ({
  ...{ name, endpoint, model: 'm-1', statusCode: 200 },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  facts: { ...noFacts, ...facts },
  ...more,
});

/** Server-sent events as providers write them: with names where they are given. */
export const toEvents = (events: readonly (object | string)[], { named = false, end = '\n\n' } = {}): string =>
  events
    .map((event) => {
      const text = typeof event === 'string' ? event : JSON.stringify(event);
      const type = (event as { type?: string }).type;
      return `${named && type !== undefined ? `event: ${type}\n` : ''}data: ${text}${end}`;
    })
    .join('');

const completion = (more: object, choice: object = {}) => ({
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

const details = {
  prompt_tokens: 1_000,
  completion_tokens: 300,
  total_tokens: 1_300,
  prompt_tokens_details: { cached_tokens: 896, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0, accepted_prediction_tokens: 0 },
};
const detailed: Known = { inputTokens: 1_000, cachedTokens: 896, outputTokens: 300, reasoningTokens: 192 };
const call = (id: string, name = 'look') => ({ id, type: 'function', function: { name, arguments: '{"usage":{}}' } });

const chats = [
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

const item = (type: string) => ({ id: 'i', type, status: 'completed' });
const response = (more: object) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_770_000_000,
  status: 'completed',
  error: null,
  incomplete_details: null,
  model: 'gpt-5-2025-08-07',
  output: [{ ...item('message'), role: 'assistant', content: [{ type: 'output_text', text: 'x', annotations: [] }] }],
  usage: {
    input_tokens: 1_000,
    input_tokens_details: { cached_tokens: 896 },
    output_tokens: 300,
    output_tokens_details: { reasoning_tokens: 192 },
    total_tokens: 1_300,
  },
  metadata: { usage: 'none' },
  ...more,
});
const toolItems = [
  'reasoning',
  'function_call',
  'function_call',
  'web_search_call',
  'custom_tool_call',
  'mcp_list_tools',
  'message',
];

const ofResponses = [
  answer('response', responses, response({}), {
    api: 'openai-responses',
    ...detailed,
    finishReason: 'completed',
    toolCalls: 0,
  }),
  answer(
    'response of 2025-03, without details',
    responses,
    response({ usage: { input_tokens: 5, output_tokens: 6, total_tokens: 11 } }),
    { api: 'openai-responses', inputTokens: 5, outputTokens: 6, finishReason: 'completed', toolCalls: 0 },
  ),
  answer('response that asks for tools', responses, response({ output: toolItems.map(item) }), {
    api: 'openai-responses',
    ...detailed,
    finishReason: 'completed',
    toolCalls: 4,
  }),
  answer(
    'response that ran out of tokens',
    responses,
    response({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
    { api: 'openai-responses', ...detailed, finishReason: 'max_output_tokens', toolCalls: 0 },
  ),
  answer(
    'response that failed',
    responses,
    response({ status: 'failed', error: { code: 'server_error', message: 'x' }, output: [], usage: null }),
    { api: 'openai-responses', finishReason: 'failed', toolCalls: 0 },
  ),
  answer(
    'response that still runs in the background',
    responses,
    response({ status: 'queued', output: [], usage: null }),
    { api: 'openai-responses' },
  ),
];

const message = (more: object = {}) => ({
  id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 100,
    cache_creation_input_tokens: 2_000,
    cache_read_input_tokens: 900,
    cache_creation: { ephemeral_5m_input_tokens: 2_000, ephemeral_1h_input_tokens: 0 },
    output_tokens: 50,
    service_tier: 'standard',
  },
  ...more,
});
const claude = { model: 'claude-sonnet-4-5-20250929' };
const toolUse = (type = 'tool_use') => ({
  type,
  id: 't',
  name: 'look',
  input: { usage: { input_tokens: 7 }, stop_reason: 'x' },
});
const messageFacts: Known = {
  api: 'anthropic-messages',
  provider: 'anthropic',
  inputTokens: 3_000,
  cachedTokens: 900,
  outputTokens: 50,
};

const ofAnthropic = [
  answer(
    'message of 2023, without caches',
    messages,
    message({ id: 'msg_x', usage: { input_tokens: 10, output_tokens: 25 } }),
    { api: 'anthropic-messages', inputTokens: 10, outputTokens: 25, finishReason: 'end_turn', toolCalls: 0 },
    claude,
  ),
  answer(
    'message with caches',
    messages,
    message(),
    { ...messageFacts, finishReason: 'end_turn', toolCalls: 0 },
    claude,
  ),
  answer(
    'message that uses tools',
    messages,
    message({
      content: [{ type: 'thinking' }, toolUse(), toolUse(), toolUse('server_tool_use')],
      stop_reason: 'tool_use',
    }),
    { ...messageFacts, finishReason: 'tool_use', toolCalls: 3 },
    claude,
  ),
  answer(
    'message that is refused',
    messages,
    message({ content: [], stop_reason: 'refusal' }),
    { ...messageFacts, finishReason: 'refusal', toolCalls: 0 },
    claude,
  ),
  answer(
    'message of Bedrock',
    '/model/x/invoke',
    message({ id: 'msg_bdrk_01' }),
    { ...messageFacts, provider: 'aws.bedrock', finishReason: 'end_turn', toolCalls: 0 },
    claude,
  ),
  answer(
    'message of Vertex AI',
    '/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict',
    message({ id: 'msg_vrtx_01' }),
    { ...messageFacts, provider: 'gcp.vertex_ai', finishReason: 'end_turn', toolCalls: 0 },
    claude,
  ),
  answer(
    'message with null in place of caches',
    messages,
    message({
      usage: { input_tokens: 10, cache_read_input_tokens: null, cache_creation_input_tokens: null, output_tokens: 2 },
    }),
    {
      api: 'anthropic-messages',
      provider: 'anthropic',
      inputTokens: 10,
      outputTokens: 2,
      finishReason: 'end_turn',
      toolCalls: 0,
    },
    claude,
  ),
];

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

const ofGoogle = [
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

const span = (body: object) => body;
const ofSpans = [
  answer(
    'what the gateway makes of a span',
    'gen_ai/chat',
    span({
      id: 'x',
      model: 'm',
      finish_reasons: ['tool_calls'],
      usage: { input_tokens: 10, output_tokens: 5, 'cache_read.input_tokens': 4, 'reasoning.output_tokens': 2 },
      messages: [
        { role: 'assistant', parts: [{ type: 'text' }, { type: 'tool_call', name: 'a' }], finish_reason: 'tool_calls' },
      ],
    }),
    { inputTokens: 10, cachedTokens: 4, outputTokens: 5, reasoningTokens: 2, finishReason: 'tool_calls', toolCalls: 1 },
  ),
  answer(
    'what it makes of one by older conventions',
    'gen_ai/chat',
    span({
      finish_reasons: ['stop'],
      usage: { input_tokens: 10, output_tokens: 5 },
      messages: [{ role: 'assistant', tool_calls: [{}, {}] }],
    }),
    { inputTokens: 10, outputTokens: 5, finishReason: 'stop', toolCalls: 2 },
  ),
  answer(
    'what it makes of one whose messages were not recorded',
    'gen_ai/chat',
    span({ usage: { input_tokens: 10, output_tokens: 5, cachedInputTokens: 3, reasoningTokens: 1 } }),
    { inputTokens: 10, cachedTokens: 3, outputTokens: 5, reasoningTokens: 1 },
  ),
];

const failed = (endpoint: string, api: RequestFacts['api'], body: unknown = { error: { type: 'x', message: 'y' } }) =>
  answer(`an error of ${endpoint}`, endpoint, body, { api }, { statusCode: 429 });

const refused = [
  failed(chat, 'openai-chat'),
  failed(completions, 'openai-completions'),
  failed(`${responses}?x=1`, 'openai-responses'),
  failed(embeddings, 'openai-embeddings'),
  failed(messages, 'anthropic-messages', { type: 'error', error: { type: 'overloaded_error', message: 'x' } }),
  failed(geminiStream, 'gemini', [{ error: { code: 429 } }].at(0)),
  failed('/api/other', null),
  failed(chat, 'openai-chat', '<html>Bad gateway</html>'),
  answer('an empty body', chat, '', { api: 'openai-chat' }),
  answer('a body of another shape', chat, { result: 'ok', usage: { prompt_tokens: 5, completion_tokens: 5 } }, {}),
  answer('a text', chat, 'prompt_tokens: 5', {}),
  answer('a body that is cut', chat, JSON.stringify(completion({ usage: details })).slice(0, -1), {
    api: 'openai-chat',
  }),
];

/** Numbers that are none, and other things that nobody should send. */
const odd = [
  ...['"5"', '-1', '1.5', '1e308', 'null', 'true', '[5]', '{}', '1000000001'].map((number) =>
    answer(
      `chat with the number ${number}`,
      chat,
      `{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":${number},"completion_tokens":5}}`,
      { api: 'openai-chat', outputTokens: 5 },
    ),
  ),
  answer(
    'chat with more from the cache than went in',
    chat,
    completion({ usage: { prompt_tokens: 5, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 6 } } }),
    { api: 'openai-chat', outputTokens: 5, finishReason: 'stop', toolCalls: 0 },
  ),
  answer('chat with a finish reason that is a story', chat, completion({}, { finish_reason: 'because of you\n' }), {
    api: 'openai-chat',
    toolCalls: 0,
  }),
  answer(
    'chat with names of prototypes',
    chat,
    '{"__proto__":{"usage":{"prompt_tokens":5}},"constructor":{"usage":1},"object":"chat.completion","choices":[{}]}',
    { api: 'openai-chat', toolCalls: 0 },
  ),
  answer(
    'chat with usage twice, of which the last counts',
    chat,
    '{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}}',
    { api: 'openai-chat', inputTokens: 2 },
  ),
  answer(
    'chat whose key is written with escapes',
    chat,
    '{"object":"chat.completion","choices":[],"\\u0075sage":{"prompt_tokens":2}}',
    { api: 'openai-chat', inputTokens: 2 },
  ),
];

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

const callPart = (index: number, id?: string, text = '') => ({
  tool_calls: [
    {
      index,
      ...(id !== undefined && { id, type: 'function' }),
      function: { ...(id !== undefined && { name: 'look' }), arguments: text },
    },
  ],
});

/** An answer as a stream, and the same in one piece. */
export interface StreamedAnswer {
  name: string;
  endpoint: string;
  model: string;
  stream: string;
  whole: string;
  /** what both say */
  facts: RequestFacts;
}

const streamed = (
  name: string,
  endpoint: string,
  stream: string,
  whole: object,
  facts: Known,
  model = 'm-1',
): StreamedAnswer => ({
  ...{ name, endpoint, model, stream, whole: JSON.stringify(whole) },
  facts: { ...noFacts, ...facts },
});

const usageEvent = { ...piece({}), choices: [], usage: details };
const textPieces = ['Say ', '"usage":{"prompt_tokens":1}', 'data: [DONE]\n\n'].map((content) =>
  piece({ content }, { usage: null }),
);

export const streamedAnswers: readonly StreamedAnswer[] = [
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
  streamed(
    'response',
    responses,
    toEvents(
      [
        { type: 'response.created', response: response({ status: 'in_progress', output: [], usage: null }) },
        { type: 'response.output_item.added', item: item('function_call') },
        { type: 'response.output_text.delta', delta: 'x"}' },
        { type: 'response.completed', response: response({ output: toolItems.map(item) }) },
      ],
      { named: true },
    ),
    response({ output: toolItems.map(item) }),
    { api: 'openai-responses', ...detailed, finishReason: 'completed', toolCalls: 4 },
  ),
  streamed(
    'response that ran out of tokens',
    responses,
    toEvents(
      [
        { type: 'response.created', response: response({ status: 'in_progress' }) },
        {
          type: 'response.incomplete',
          response: response({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
        },
      ],
      { named: true },
    ),
    response({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
    { api: 'openai-responses', ...detailed, finishReason: 'max_output_tokens', toolCalls: 0 },
  ),
  streamed(
    'message',
    messages,
    toEvents(
      [
        {
          type: 'message_start',
          message: message({
            content: [],
            stop_reason: null,
            usage: {
              input_tokens: 100,
              cache_creation_input_tokens: 2_000,
              cache_read_input_tokens: 900,
              output_tokens: 1,
            },
          }),
        },
        { type: 'ping' },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '"stop_reason":"x"' } },
        { type: 'content_block_start', index: 1, content_block: toolUse() },
        { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
        {
          type: 'message_delta',
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          usage: { output_tokens: 50 },
        },
        { type: 'message_stop' },
      ],
      { named: true },
    ),
    message({ content: [{ type: 'text' }, toolUse()], stop_reason: 'tool_use' }),
    { ...messageFacts, finishReason: 'tool_use', toolCalls: 1 },
    claude.model,
  ),
  streamed(
    'message whose delta tells all of the usage once more',
    messages,
    toEvents(
      [
        {
          type: 'message_start',
          message: message({
            content: [],
            stop_reason: null,
            usage: { input_tokens: 50, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
          }),
        },
        { type: 'message_delta', delta: { stop_reason: null }, usage: { input_tokens: 60, output_tokens: 20 } },
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: {
            input_tokens: 100,
            cache_creation_input_tokens: 2_000,
            cache_read_input_tokens: 900,
            output_tokens: 50,
          },
        },
        { type: 'message_stop' },
      ],
      { named: true },
    ),
    message(),
    { ...messageFacts, finishReason: 'end_turn', toolCalls: 0 },
    claude.model,
  ),
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
