import type { RequestFacts } from '../../../shared/facts/request-facts.ts';
import { answer, chat, completions, embeddings, geminiStream, messages, responses } from './model-answer.ts';
import { completion, details } from './openai-chat.ts';

const failed = (endpoint: string, api: RequestFacts['api'], body: unknown = { error: { type: 'x', message: 'y' } }) =>
  answer(`an error of ${endpoint}`, endpoint, body, { api }, { statusCode: 429 });

/** Errors, and bodies that say nothing. */
export const refused = [
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
export const odd = [
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
