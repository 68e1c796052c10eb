/**
 * Bodies as the APIs of models have them, by the shapes of their documentation: a request with a tool's call and its result, and an answer
 * in one piece and as the stream that says the same.
 */
export interface ModelBodies {
  path: string;
  request: Record<string, unknown>;
  plain: Record<string, unknown>;
  stream: string;
}

/** Server-sent events. A pair is an event with a name. */
export function toEventStream(events: readonly (object | string | readonly [name: string, data: object])[]): string {
  return events
    .map((event) => {
      if (Array.isArray(event)) return `event: ${event[0]}\ndata: ${JSON.stringify(event[1])}\n\n`;
      return `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
    })
    .join('');
}

/** A tiny PNG. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const chatHead = { id: 'chatcmpl-1', created: 1_760_000_000, model: 'gpt-5-mini', system_fingerprint: 'fp_1' };
const chatUsage = {
  prompt_tokens: 120,
  completion_tokens: 30,
  total_tokens: 150,
  prompt_tokens_details: { cached_tokens: 100 },
  completion_tokens_details: { reasoning_tokens: 10 },
};
const chatChunk = (delta: object, finish: string | null = null) => ({
  ...chatHead,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
  usage: null,
});

const chat: ModelBodies = {
  path: '/v1/chat/completions',
  request: {
    model: 'gpt-5-mini',
    temperature: 0.2,
    stream: true,
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
    messages: [
      { role: 'system', content: 'You are brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is the weather here?' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}`, detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Tübingen"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '{"degrees":21}' },
    ],
  },
  plain: {
    ...chatHead,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'It has 21 degrees.',
          reasoning_content: 'The tool says 21.',
          tool_calls: [
            { id: 'call_2', type: 'function', function: { name: 'note', arguments: '{"text":"warm"}' } },
            { id: 'call_3', type: 'function', function: { name: 'note', arguments: '{"text":"dry"}' } },
          ],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: chatUsage,
  },
  stream: toEventStream([
    chatChunk({ role: 'assistant', content: '' }),
    chatChunk({ reasoning_content: 'The tool ' }),
    chatChunk({ reasoning_content: 'says 21.' }),
    chatChunk({ content: 'It has 21' }),
    chatChunk({ content: ' degrees.' }),
    chatChunk({
      tool_calls: [{ index: 0, id: 'call_2', type: 'function', function: { name: 'note', arguments: '' } }],
    }),
    chatChunk({ tool_calls: [{ index: 0, function: { arguments: '{"text":' } }] }),
    chatChunk({ tool_calls: [{ index: 0, function: { arguments: '"warm"}' } }] }),
    chatChunk({
      tool_calls: [
        { index: 1, id: 'call_3', type: 'function', function: { name: 'note', arguments: '{"text":"dry"}' } },
      ],
    }),
    chatChunk({}, 'tool_calls'),
    { ...chatHead, object: 'chat.completion.chunk', choices: [], usage: chatUsage },
    '[DONE]',
  ]),
};

const completions: ModelBodies = {
  path: '/v1/completions',
  request: { model: 'davinci', prompt: 'Once upon', max_tokens: 16 },
  plain: {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_760_000_000,
    model: 'davinci',
    choices: [{ index: 0, text: ' a time there was', logprobs: null, finish_reason: 'length' }],
    usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  },
  stream: toEventStream([
    ...[' a time', ' there was'].map((text, at) => ({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1_760_000_000,
      model: 'davinci',
      choices: [{ index: 0, text, logprobs: null, finish_reason: at === 1 ? 'length' : null }],
      ...(at === 1 && { usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 } }),
    })),
    '[DONE]',
  ]),
};

const reasoningItem = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Looking it up.' }] };
const callItem = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'lookup',
  arguments: '{"word":"sluice"}',
};
const messageItem = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'A gate for water.', annotations: [] }],
};
const responseHead = { id: 'resp_1', object: 'response', created_at: 1_760_000_000, model: 'gpt-5', error: null };
const responseUsage = {
  input_tokens: 50,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 40,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 90,
};
const wholeResponse = {
  ...responseHead,
  status: 'completed',
  output: [reasoningItem, callItem, messageItem],
  usage: responseUsage,
};

const named = (type: string, rest: object): readonly [string, object] => [type, { type, ...rest }];

const responses: ModelBodies = {
  path: '/v1/responses',
  request: {
    model: 'gpt-5',
    instructions: 'Answer in one sentence.',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'What is a sluice?' }] },
      { type: 'function_call', call_id: 'call_0', name: 'lookup', arguments: '{"word":"lock"}' },
      { type: 'function_call_output', call_id: 'call_0', output: 'A chamber for boats.' },
      { role: 'user', content: 'And now?' },
    ],
  },
  plain: wholeResponse,
  stream: toEventStream([
    named('response.created', { response: { ...responseHead, status: 'in_progress', output: [] } }),
    named('response.in_progress', { response: { ...responseHead, status: 'in_progress', output: [] } }),
    named('response.output_item.added', { output_index: 0, item: { ...reasoningItem, summary: [] } }),
    named('response.reasoning_summary_text.delta', {
      item_id: 'rs_1',
      output_index: 0,
      summary_index: 0,
      delta: 'Looking ',
    }),
    named('response.reasoning_summary_text.delta', {
      item_id: 'rs_1',
      output_index: 0,
      summary_index: 0,
      delta: 'it up.',
    }),
    named('response.output_item.done', { output_index: 0, item: reasoningItem }),
    named('response.output_item.added', {
      output_index: 1,
      item: { ...callItem, status: 'in_progress', arguments: '' },
    }),
    named('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta: '{"word":' }),
    named('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta: '"sluice"}' }),
    named('response.function_call_arguments.done', { item_id: 'fc_1', output_index: 1, arguments: callItem.arguments }),
    named('response.output_item.done', { output_index: 1, item: callItem }),
    named('response.output_item.added', {
      output_index: 2,
      item: { ...messageItem, status: 'in_progress', content: [] },
    }),
    named('response.content_part.added', {
      item_id: 'msg_1',
      output_index: 2,
      content_index: 0,
      part: { type: 'output_text', text: '', annotations: [] },
    }),
    named('response.output_text.delta', { item_id: 'msg_1', output_index: 2, content_index: 0, delta: 'A gate' }),
    named('response.output_text.delta', { item_id: 'msg_1', output_index: 2, content_index: 0, delta: ' for water.' }),
    named('response.output_text.done', {
      item_id: 'msg_1',
      output_index: 2,
      content_index: 0,
      text: 'A gate for water.',
    }),
    named('response.output_item.done', { output_index: 2, item: messageItem }),
    named('response.completed', { response: wholeResponse }),
  ]),
};

const messageHead = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-4' };
const anthropicUsage = {
  input_tokens: 12,
  cache_creation_input_tokens: 4,
  cache_read_input_tokens: 90,
  output_tokens: 60,
};

const anthropic: ModelBodies = {
  path: '/v1/messages',
  request: {
    model: 'claude-opus-4',
    max_tokens: 1_024,
    system: [{ type: 'text', text: 'You are a librarian.', cache_control: { type: 'ephemeral' } }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
          { type: 'text', text: 'Find this book.' },
        ],
      },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'toolu_1', name: 'search', input: { title: 'Sluices' } }],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            is_error: true,
            content: [{ type: 'text', text: 'not found' }],
          },
        ],
      },
    ],
  },
  plain: {
    ...messageHead,
    content: [
      { type: 'thinking', thinking: 'Perhaps another title.', signature: 'c2ln' },
      { type: 'text', text: 'Let me try another title.' },
      { type: 'tool_use', id: 'toolu_2', name: 'search', input: { title: 'Weirs', exact: false } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: anthropicUsage,
  },
  stream: toEventStream([
    named('message_start', {
      message: {
        ...messageHead,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...anthropicUsage, output_tokens: 1 },
      },
    }),
    named('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
    named('ping', {}),
    named('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'Perhaps ' } }),
    named('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'another title.' } }),
    named('content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } }),
    named('content_block_stop', { index: 0 }),
    named('content_block_start', { index: 1, content_block: { type: 'text', text: '' } }),
    named('content_block_delta', { index: 1, delta: { type: 'text_delta', text: 'Let me try ' } }),
    named('content_block_delta', { index: 1, delta: { type: 'text_delta', text: 'another title.' } }),
    named('content_block_stop', { index: 1 }),
    named('content_block_start', {
      index: 2,
      content_block: { type: 'tool_use', id: 'toolu_2', name: 'search', input: {} },
    }),
    named('content_block_delta', { index: 2, delta: { type: 'input_json_delta', partial_json: '' } }),
    named('content_block_delta', { index: 2, delta: { type: 'input_json_delta', partial_json: '{"title": "Weirs",' } }),
    named('content_block_delta', { index: 2, delta: { type: 'input_json_delta', partial_json: ' "exact": false}' } }),
    named('content_block_stop', { index: 2 }),
    named('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 60 } }),
    named('message_stop', {}),
  ]),
};

const geminiEnd = {
  usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 8, thoughtsTokenCount: 5, totalTokenCount: 33 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r-1',
};
const candidate = (parts: object[], finish?: string) => ({
  candidates: [{ content: { parts, role: 'model' }, ...(finish !== undefined && { finishReason: finish }), index: 0 }],
});

const gemini: ModelBodies = {
  path: '/v1beta/models/gemini-2.5-flash:generateContent',
  request: {
    systemInstruction: { parts: [{ text: 'Be kind.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Look at this.' }, { inlineData: { mimeType: 'image/png', data: png } }] },
      { role: 'model', parts: [{ functionCall: { name: 'describe', args: { detail: 'high' } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'describe', response: { label: 'a gate' } } }] },
    ],
    generationConfig: { temperature: 1 },
  },
  plain: {
    ...candidate([{ text: 'It is a gate.', thought: true }, { text: 'You see a gate.' }], 'STOP'),
    ...geminiEnd,
  },
  stream: toEventStream([
    { ...candidate([{ text: 'It is ', thought: true }]), ...geminiEnd },
    { ...candidate([{ text: 'a gate.', thought: true }, { text: 'You see' }]), ...geminiEnd },
    { ...candidate([{ text: ' a gate.' }], 'STOP'), ...geminiEnd },
  ]),
};

/** By their shape. */
export const modelBodies = {
  'openai-chat': chat,
  'openai-completions': completions,
  'openai-responses': responses,
  'anthropic-messages': anthropic,
  gemini,
} as const;

/** An embedding, of which there is no stream. */
export const embeddingBodies = {
  path: '/v1/embeddings',
  request: { model: 'text-embedding-3-small', input: ['first text', 'second text', [1, 2, 3]] },
  plain: {
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [0.1, 0.2, 0.3] },
      { object: 'embedding', index: 1, embedding: 'AACAPwAAAEAAAEBA' },
    ],
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 5, total_tokens: 5 },
  },
};
