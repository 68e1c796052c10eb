import { answer, responses, streamed, toEvents } from './model-answer.ts';
import { detailed } from './openai-chat.ts';

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

export const ofResponses = [
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

export const streamedResponses = [
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
];
