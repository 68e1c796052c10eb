import { answer, type Known, messages, streamed, toEvents } from './model-answer.ts';

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

export const ofAnthropic = [
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

export const streamedMessages = [
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
];
