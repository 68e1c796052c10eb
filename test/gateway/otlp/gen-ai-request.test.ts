import { expect, test } from 'vitest';
import { readAttributes } from '../../../gateway/otlp/attributes.ts';
import { isModelRequest, type Ownership, toRequestInput } from '../../../gateway/otlp/gen-ai-request.ts';
import { unpack, unpackAll } from '../../../gateway/otlp/named-attributes.ts';
import { readSpan } from '../../../gateway/otlp/span.ts';
import { requestInputSchema } from '../../../shared/contracts/request-input.ts';
import { aJsonSpan, anEvent, modelRequest, toKeyValues } from '../../support/otlp.ts';
import { aiSdkSpans, liteLlmRawSpan, liteLlmSpan, vLlmSpan } from '../../support/otlp-fixtures.ts';

const requestId = '0199a000-0000-8000-8000-000000000001';
const nobody: Ownership = { creator: null, sender: null, resource: new Map() };

/** What becomes of a span; null: it is no request to a model. */
function request(span: object, ownership: Partial<Ownership> = {}) {
  const read = readSpan(span);
  return isModelRequest(read)
    ? requestInputSchema.parse(toRequestInput(read, { ...nobody, ...ownership }, requestId))
    : null;
}

test('a span by the present conventions becomes a request with all that it tells', () => {
  const messages = [{ role: 'user', parts: [{ type: 'text', content: 'Weather?' }] }];
  const answers = [{ role: 'assistant', parts: [{ type: 'text', content: 'Sunny.' }], finish_reason: 'stop' }];
  const span = aJsonSpan({
    ...modelRequest,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.stop_sequences': ['a', 'b'],
    'gen_ai.request.stream': true,
    'gen_ai.output.type': 'text',
    'gen_ai.conversation.id': 'conv-1',
    'gen_ai.response.model': 'gpt-5-2026-01-01',
    'gen_ai.response.id': 'resp-1',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.response.time_to_first_chunk': 0.25,
    'gen_ai.usage.input_tokens': 7,
    'gen_ai.usage.output_tokens': 2,
    'gen_ai.usage.cache_read.input_tokens': 3,
    // as JSON, and with the structure that attributes have by now
    'gen_ai.input.messages': JSON.stringify(messages),
    'gen_ai.output.messages': answers,
    'gen_ai.system_instructions': '[{"type":"text","content":"Be brief."}]',
    'openai.response.service_tier': 'flex',
    'server.address': 'api.openai.com',
    'server.port': 443,
    'enduser.id': 'user-1',
  });
  expect(request(span)).toEqual({
    requestId,
    createdBy: 'user-1',
    model: 'gpt-5',
    endpoint: 'gen_ai/chat',
    serviceTier: 'flex',
    startedAt: Date.UTC(2026, 4, 1, 10),
    completedAt: Date.UTC(2026, 4, 1, 10, 0, 1, 500),
    statusCode: 200,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    provider: 'openai',
    firstTokenAt: Date.UTC(2026, 4, 1, 10, 0, 0, 250),
    requestBody: {
      provider: 'openai',
      operation: 'chat',
      model: 'gpt-5',
      server: 'api.openai.com:443',
      conversation: 'conv-1',
      parameters: { temperature: 0.5, stop_sequences: ['a', 'b'], stream: true, output_type: 'text' },
      system_instructions: [{ type: 'text', content: 'Be brief.' }],
      messages,
    },
    responseBody: {
      id: 'resp-1',
      model: 'gpt-5-2026-01-01',
      finish_reasons: ['stop'],
      usage: { input_tokens: 7, output_tokens: 2, 'cache_read.input_tokens': 3 },
      latency: { time_to_first_chunk: 0.25 },
      messages: answers,
    },
  });
});

test('the first token is that of a span that tells of it in s or ms, and lies within the span', () => {
  const firstToken = (attributes: object) => request(aJsonSpan({ ...modelRequest, ...attributes }))?.firstTokenAt;
  const start = Date.UTC(2026, 4, 1, 10);
  expect(firstToken({ 'gen_ai.latency.time_to_first_token': '0.1155' })).toBe(start + 116);
  expect(firstToken({ 'ai.response.msToFirstChunk': 812.4 })).toBe(start + 812);
  for (const seconds of [-1, 1.6, 1e300, 'soon', true])
    expect(firstToken({ 'gen_ai.response.time_to_first_chunk': seconds })).toBeUndefined();
  expect(firstToken({})).toBeUndefined();
});

test('messages are found wherever former conventions have put them', () => {
  const bodies = (attributes: object, events: object[] = []) => {
    const found = request(aJsonSpan({ ...modelRequest, ...attributes }, { events })) as unknown as Record<
      'requestBody' | 'responseBody',
      { messages?: unknown }
    >;
    return [found.requestBody.messages, found.responseBody.messages];
  };
  const question = [{ role: 'user', content: 'Why?' }];
  const answer = [{ role: 'assistant', content: 'So.' }];
  const texts = [question, answer].map((messages) => JSON.stringify(messages)) as [string, string];
  expect(bodies({})).toEqual([undefined, undefined]);
  expect(bodies({ 'gen_ai.prompt': texts[0], 'gen_ai.completion': 'So.' })).toEqual([question, 'So.']);
  expect(
    bodies({}, [
      anEvent('gen_ai.content.prompt', { 'gen_ai.prompt': texts[0] }),
      anEvent('gen_ai.content.completion', { 'gen_ai.completion': texts[1] }),
    ]),
  ).toEqual([question, answer]);
  expect(
    bodies({}, [
      anEvent('gen_ai.client.inference.operation.details', {
        'gen_ai.input.messages': texts[0],
        'gen_ai.output.messages': texts[1],
      }),
    ]),
  ).toEqual([question, answer]);
  expect(
    bodies({}, [
      anEvent('gen_ai.system.message', { 'gen_ai.system': 'openai', content: 'Be brief.' }),
      anEvent('gen_ai.user.message', { 'gen_ai.event.content': '{"content":"Why?"}' }),
      anEvent('gen_ai.choice', { index: 0, finish_reason: 'stop', message: '{"content":"So."}' }),
    ]),
  ).toEqual([
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ],
    [{ role: 'assistant', index: 0, finish_reason: 'stop', message: { content: 'So.' } }],
  ]);
});

test('a failed request has the status of HTTP where it is told, and 500 otherwise', () => {
  const status = (attributes: object, overrides: object = {}) =>
    request(aJsonSpan({ ...modelRequest, ...attributes }, overrides))?.statusCode;
  const failed = { status: { code: 2, message: 'slow down' } };
  expect(status({}, { status: { code: 1 } })).toBe(200);
  expect(status({ 'http.response.status_code': 201 })).toBe(200);
  expect(status({}, failed)).toBe(500);
  expect(status({ 'error.type': 'timeout' })).toBe(500);
  expect(status({ 'error.type': '429' })).toBe(429);
  expect(status({ 'http.response.status_code': 503, 'error.type': 'X' }, failed)).toBe(503);
  expect(status({ 'http.response.status_code': 200 }, failed)).toBe(500);
  expect(status({ 'http.response.status_code': 9_000 }, { status: { code: 'STATUS_CODE_ERROR' } })).toBe(500);
  const events = [
    anEvent('exception', {
      'exception.type': 'RateLimitError',
      'exception.message': 'no',
      'exception.stacktrace': 'at',
    }),
  ];
  expect(request(aJsonSpan(modelRequest, { ...failed, events }))?.responseBody).toEqual({
    error: { type: 'RateLimitError', message: 'slow down' },
  });
});

test('whose it is: the one creator of the token, the span, the resource, the service, the sender', () => {
  const owner = (attributes: object, resource: Record<string, string>, ownership: Partial<Ownership> = {}) =>
    request(aJsonSpan({ ...modelRequest, ...attributes }), {
      ...ownership,
      resource: readAttributes(toKeyValues(resource)),
    })?.createdBy;
  const user = { 'user.id': 'user-1' };
  const service = { 'service.name': 'shop', 'user.id': 'host-user' };
  expect(owner(user, service, { creator: 'acme', sender: 'llm' })).toBe('acme');
  expect(owner({ ...user, 'enduser.id': 7 }, service)).toBe('7');
  expect(owner(user, service)).toBe('user-1');
  expect(owner({ 'llm.user': 'None', 'user.id': ' ' }, service)).toBe('host-user');
  expect(owner({}, service)).toBe('host-user');
  expect(owner({}, { 'service.name': 'shop' }, { sender: 'llm' })).toBe('shop');
  expect(owner({}, { 'service.name': 'unknown_service:node' }, { sender: 'llm' })).toBe('llm');
  expect(owner({}, {})).toBe('unknown_service');
});

test('values are those of OTLP, and no more of them than anybody needs', () => {
  const any = (value: object) => readAttributes([{ key: 'a', value }]).get('a');
  expect(any({ intValue: '9007199254740993' })).toBe('9007199254740993');
  expect(any({ intValue: -7 })).toBe(-7);
  expect(any({ doubleValue: 'NaN' })).toBe('NaN');
  expect(any({ bytesValue: 'AQI=' })).toBe('AQI=');
  expect(any({ bytesValue: new Uint8Array([1, 2]) })).toBe('AQI=');
  expect(any({ kvlistValue: { values: [{ key: 'b', value: { boolValue: false } }] } })).toEqual({ b: false });
  expect(any({})).toBeNull();
  expect(readAttributes(Array.from({ length: 20_000 }, (_, n) => ({ key: `${n}` }))).size).toBe(10_000);
  let deep: object = { stringValue: 'x' };
  for (let depth = 0; depth < 40; depth += 1) deep = { arrayValue: { values: [deep] } };
  expect(JSON.stringify(any(deep))).toBe(`${'['.repeat(32)}null${']'.repeat(32)}`);
});

test('what is no request to a model is passed by', () => {
  for (const operation of [
    'execute_tool',
    'invoke_agent',
    'create_agent',
    'invoke_workflow',
    'retrieval',
    'search_memory',
    'fetch_response',
  ])
    expect(request(aJsonSpan({ ...modelRequest, 'gen_ai.operation.name': operation }))).toBeNull();
  for (const operation of ['chat', 'generate_content', 'text_completion', 'embeddings', 'a-new-one'])
    expect(request(aJsonSpan({ ...modelRequest, 'gen_ai.operation.name': operation }))?.endpoint).toBe(
      `gen_ai/${operation}`,
    );
  expect(request(aJsonSpan({ 'http.request.method': 'GET' }))).toBeNull();
  expect(request(aJsonSpan({ 'gen_ai.conversation.id': 'baggage' }))).toBeNull();
  expect(request(liteLlmRawSpan)).toBeNull();
  expect(request(aiSdkSpans.call)).toBeNull();
});

test('LiteLLM, vLLM and the AI SDK are understood', () => {
  const weather = { name: 'get_weather', parameters: '{"type":"object"}' };
  expect(request(liteLlmSpan)).toMatchObject({
    createdBy: 'team-7',
    model: 'gpt-4o-mini',
    endpoint: 'gen_ai/chat',
    requestBody: {
      provider: 'openai',
      parameters: { max_tokens: '256', temperature: 0.2, stream: true },
      tools: [weather],
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: '{"a":1}' },
      ],
    },
    responseBody: {
      finish_reasons: ['stop'],
      usage: { input_tokens: 18, output_tokens: 12, total_tokens: 30 },
      messages: [{ role: 'assistant', content: 'Sunny.', finish_reason: 'stop' }],
    },
  });
  expect(JSON.stringify(request(liteLlmSpan))).not.toContain('88dc28d0');
  expect(request(vLlmSpan)).toMatchObject({
    createdBy: 'unknown_service',
    model: 'meta-llama/Llama-3.1-8B-Instruct',
    endpoint: 'gen_ai/inference',
    requestBody: { operation: 'inference', parameters: { temperature: 0.7, top_p: 1, max_tokens: 16, n: 1 } },
    responseBody: {
      id: 'cmpl-7d1c',
      usage: { num_sequences: 1, input_tokens: 11, output_tokens: 16 },
      latency: { time_in_queue: 0.000054, time_to_first_token: 0.1155, e2e: 0.2536 },
    },
  });
  expect(request(aiSdkSpans.request)).toMatchObject({
    createdBy: 'user-3',
    model: 'claude-sonnet-4-5',
    endpoint: 'gen_ai/chat',
    requestBody: {
      parameters: { maxRetries: 2, temperature: 0, stream: true },
      tools: [{ type: 'function', name: 'look_up' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'A story.' }] }],
    },
    responseBody: {
      finish_reasons: ['tool-calls'],
      usage: { input_tokens: 20, output_tokens: 5 },
      messages: [{ role: 'assistant', content: 'Once upon a time', tool_calls: [{ toolName: 'look_up' }] }],
    },
  });
  expect(request(aiSdkSpans.embedding)).toMatchObject({
    endpoint: 'gen_ai/embeddings',
    requestBody: { messages: ['a', 'b'] },
    responseBody: { usage: { input_tokens: 2 } },
  });
});

test.each([
  ['a list of empty objects', `[${'{},'.repeat(300_000)}{}]`],
  ['texts that are such lists', JSON.stringify([`[${'{},'.repeat(150_000)}{}]`, `[${'{},'.repeat(150_000)}{}]`])],
])('an attribute with %s stays text: to parse it would hold up all senders', (_what, text) => {
  const span = aJsonSpan({ ...modelRequest, 'gen_ai.input.messages': text, 'ai.prompt.tools': text });
  const { attributes } = readSpan(span);
  expect(unpack(attributes.get('gen_ai.input.messages'))).toBe(text);
  expect(unpackAll(attributes.get('ai.prompt.tools'))).toBe(text);
});
