/** What instrumentations send, written down by hand after their sources. */
import { aJsonSpan } from './otlp.ts';

/** LiteLLM's callback `otel`: flattened messages, Python's spelling of flags, the owner of its virtual key. */
export const liteLlmSpan = aJsonSpan(
  {
    'gen_ai.request.model': 'gpt-4o-mini',
    'llm.request.type': 'acompletion',
    'gen_ai.system': 'openai',
    'llm.is_streaming': 'True',
    'gen_ai.request.max_tokens': '256',
    'gen_ai.request.temperature': 0.2,
    'gen_ai.response.id': 'chatcmpl-9',
    'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
    'gen_ai.usage.total_tokens': 30,
    'gen_ai.usage.completion_tokens': 12,
    'gen_ai.usage.prompt_tokens': 18,
    'llm.request.functions.0.name': 'get_weather',
    'llm.request.functions.0.parameters': '{"type":"object"}',
    'gen_ai.prompt.0.role': 'system',
    'gen_ai.prompt.0.content': 'Be brief.',
    'gen_ai.prompt.1.role': 'user',
    'gen_ai.prompt.1.content': '{"a":1}',
    'gen_ai.completion.0.role': 'assistant',
    'gen_ai.completion.0.content': 'Sunny.',
    'gen_ai.completion.0.finish_reason': 'stop',
    'metadata.user_api_key_hash': '88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b',
    'metadata.user_api_key_user_id': 'team-7',
    hidden_params: '{"model_id":"x"}',
  },
  { name: 'litellm_request' },
);

/** The child of the former, which has the request as the provider got it. */
export const liteLlmRawSpan = aJsonSpan(
  { 'llm.openai.messages': '[]', 'llm.openai.model': 'gpt-4o-mini' },
  { name: 'raw_gen_ai_request' },
);

/** vLLM, which names no operation, no model asked for, and no message. */
export const vLlmSpan = aJsonSpan(
  {
    'gen_ai.response.model': 'meta-llama/Llama-3.1-8B-Instruct',
    'gen_ai.request.id': 'cmpl-7d1c',
    'gen_ai.request.temperature': 0.7,
    'gen_ai.request.top_p': 1,
    'gen_ai.request.max_tokens': 16,
    'gen_ai.request.n': 1,
    'gen_ai.usage.num_sequences': 1,
    'gen_ai.usage.prompt_tokens': 11,
    'gen_ai.usage.completion_tokens': 16,
    'gen_ai.latency.time_in_queue': 0.000054,
    'gen_ai.latency.time_to_first_token': 0.1155,
    'gen_ai.latency.e2e': 0.2536,
  },
  { name: 'llm_request', kind: 2 },
);

/** The Vercel AI SDK: the span around a call, with the sums of what it used, and one of its requests. */
export const aiSdkSpans = {
  call: aJsonSpan(
    {
      'operation.name': 'ai.streamText story',
      'ai.operationId': 'ai.streamText',
      'ai.model.id': 'claude-sonnet-4-5',
      'ai.usage.inputTokens': 40,
      'gen_ai.usage.input_tokens': 40,
    },
    { name: 'ai.streamText' },
  ),
  request: aJsonSpan(
    {
      'operation.name': 'ai.streamText.doStream story',
      'ai.operationId': 'ai.streamText.doStream',
      'ai.model.id': 'claude-sonnet-4-5',
      'ai.model.provider': 'anthropic.messages',
      'ai.settings.maxRetries': 2,
      'ai.telemetry.metadata.userId': 'user-3',
      'ai.prompt.messages': '[{"role":"user","content":[{"type":"text","text":"A story."}]}]',
      'ai.prompt.tools': ['{"type":"function","name":"look_up"}'],
      'ai.response.text': 'Once upon a time',
      'ai.response.toolCalls': '[{"toolName":"look_up"}]',
      'ai.response.finishReason': 'tool-calls',
      'ai.response.id': 'msg-1',
      'ai.response.model': 'claude-sonnet-4-5-20250929',
      'ai.usage.inputTokens': 20,
      'ai.usage.outputTokens': 5,
      'gen_ai.system': 'anthropic.messages',
      'gen_ai.request.model': 'claude-sonnet-4-5',
      'gen_ai.request.temperature': 0,
      'gen_ai.response.finish_reasons': ['tool-calls'],
      'gen_ai.response.id': 'msg-1',
      'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
      'gen_ai.usage.input_tokens': 20,
      'gen_ai.usage.output_tokens': 5,
    },
    { name: 'ai.streamText.doStream' },
  ),
  embedding: aJsonSpan(
    {
      'ai.operationId': 'ai.embedMany.doEmbed',
      'ai.model.id': 'text-embedding-3-small',
      'ai.values': ['"a"', '"b"'],
      'ai.usage.tokens': 2,
    },
    { name: 'ai.embedMany.doEmbed' },
  ),
};
