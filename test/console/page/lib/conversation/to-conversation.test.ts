import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Body, Conversation, Part } from '../../../../../console/page/lib/conversation/conversation.d.ts';
import { embeddingBodies, modelBodies, toEventStream } from '../../../../support/model-bodies.ts';
import { pageModule } from '../../../../support/page-module.ts';

interface Bodies {
  request: Body | null;
  response: Body | null;
  path?: string;
}
const { toConversation } = await pageModule<{ toConversation(bodies: Bodies): Conversation }>(
  'lib/conversation/to-conversation.js',
);

const aBody = (value: unknown, changes: Partial<Body> = {}): Body => {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return { body, encoding: 'utf8', bytes: body.length, isCut: false, ...changes };
};
const ofResponse = (value: unknown, changes?: Partial<Body>): Conversation =>
  toConversation({ request: null, response: aBody(value, changes) });

/** A part in a line, with what belongs to it in brackets. */
function drawn(part: Part): string {
  switch (part.kind) {
    case 'media':
      return `${part.media}<${part.type} ${part.bytes} ${part.name}>`;
    case 'call':
      return `call ${part.name}(${part.input.replaceAll(/\s+/g, ' ')})${part.result === null ? '' : ` = ${drawn(part.result)}`}`;
    case 'result':
      return `${part.isError ? 'failed ' : ''}[${part.parts.map(drawn).join(' ')}]`;
    case 'numbers':
      return `${part.of}<${part.length}>`;
    case 'other':
      return `other<${part.fields.map(({ name }) => name).join(' ')}>`;
    case 'error':
      return `error ${part.code}: ${part.text}`;
    case 'text':
      return part.text;
    default:
      return `${part.kind}: ${part.text}`;
  }
}
const lines = ({ turns }: Conversation): string[] =>
  turns.map(
    ({ role, parts, finish }) => `${role}: ${parts.map(drawn).join(' | ')}${finish === null ? '' : ` (${finish})`}`,
  );

const expected: Record<keyof typeof modelBodies, string[]> = {
  'openai-chat': [
    'system: You are brief.',
    'user: What is the weather here? | image<image/png 70 null> | other<detail>',
    'assistant: call weather({"city": "Tübingen"}) = [{"degrees":21}]',
    'assistant: reasoning: The tool says 21. | It has 21 degrees. | call note({"text": "warm"}) | call note({"text": "dry"}) (tool_calls)',
  ],
  'openai-completions': ['prompt: Once upon', 'assistant:  a time there was (length)'],
  'openai-responses': [
    'instructions: Answer in one sentence.',
    'user: What is a sluice?',
    'assistant: call lookup({"word": "lock"}) = [A chamber for boats.]',
    'user: And now?',
    'assistant: reasoning: Looking it up. | other<id> | call lookup({"word": "sluice"}) | A gate for water. | other<annotations> | other<id status> (completed)',
  ],
  'anthropic-messages': [
    'system: You are a librarian. | other<cache_control>',
    'user: image<image/png 70 null> | Find this book.',
    'assistant: call search({"title": "Sluices"}) = failed [not found]',
    'assistant: reasoning: Perhaps another title. | other<signature> | Let me try another title. | call search({"title": "Weirs", "exact": false}) (tool_use)',
  ],
  gemini: [
    'system: Be kind.',
    'user: Look at this. | image<image/png 70 null>',
    'model: call describe({"detail": "high"}) = [{"label": "a gate"}]',
    'model: reasoning: It is a gate. | You see a gate. (STOP)',
  ],
};

const shapes = Object.keys(modelBodies) as (keyof typeof modelBodies)[];

test.each(shapes)('conversation: %s in one piece and as its stream is the same', (shape) => {
  const { request, plain, stream, path } = modelBodies[shape];
  const ofPlain = toConversation({ request: aBody(request), response: aBody(plain), path });
  const ofStream = toConversation({ request: aBody(request), response: aBody(stream), path });
  expect(lines(ofPlain)).toEqual(expected[shape]);
  expect(ofPlain.request).toEqual({ shape, isStream: false });
  expect(ofPlain.response).toEqual({ shape, isStream: false });
  expect(ofStream.response).toEqual({ shape, isStream: true });
  expect([ofPlain.remarks, ofStream.remarks]).toEqual([[], []]);
  const sorted = ({ turns, settings, answer }: Conversation) => ({
    turns,
    settings,
    answer: answer.toSorted((a, b) => a.name.localeCompare(b.name)),
  });
  expect(sorted(ofStream)).toEqual(sorted(ofPlain));
});

test('conversation: a stream of Gemini without server-sent events is a list, and says the same', () => {
  const { stream } = modelBodies.gemini;
  const list = stream
    .split('\n\n')
    .filter(Boolean)
    .map((event) => JSON.parse(event.slice(6)));
  const ofList = ofResponse(list);
  expect({ ...ofList, request: null }).toEqual({ ...ofResponse(stream), request: null });
});

test('conversation: embeddings are texts and the lengths of their vectors', () => {
  const { request, plain, path } = embeddingBodies;
  const conversation = toConversation({ request: aBody(request), response: aBody(plain), path });
  expect(lines(conversation)).toEqual([
    'input: first text | second text | tokens<3>',
    'embedding: vector<3> | vector<3>',
  ]);
});

test('conversation: what the request says beside its turns is in the settings, what the response says in the answer', () => {
  const { request, plain, path } = modelBodies['openai-chat'];
  const { settings, answer } = toConversation({ request: aBody(request), response: aBody(plain), path });
  expect(settings.map(({ name }) => name)).toEqual(['model', 'temperature', 'stream', 'tools']);
  expect(Object.fromEntries(answer.map(({ name, text }) => [name, text]))).toMatchObject({
    id: 'chatcmpl-1',
    usage: expect.stringContaining('"prompt_tokens": 120'),
  });
});

test.each<[string, unknown, string[]]>([
  [
    'OpenAI',
    { error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
    ['error: error requests: Rate limit reached | other<code>'],
  ],
  [
    'Anthropic',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' },
    ['error: error overloaded_error: Overloaded'],
  ],
  [
    'Gemini',
    { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details: [{ a: 1 }] } },
    ['error: error RESOURCE_EXHAUSTED: Quota | other<code details>'],
  ],
  ['a text', { error: 'no such model' }, ['error: error : no such model']],
])('conversation: an error of %s is a turn of its own', (_, body, turns) => {
  expect(lines(ofResponse(body))).toEqual(turns);
});

test('conversation: an error in the middle of a stream follows what was said until then', () => {
  const { stream } = modelBodies['anthropic-messages'];
  const begun = stream.slice(
    0,
    stream.indexOf('event: content_block_start\ndata: {"type":"content_block_start","index":2'),
  );
  const failed = `${begun}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`;
  expect(lines(ofResponse(failed))).toEqual([
    'assistant: reasoning: Perhaps another title. | other<signature> | Let me try another title.',
    'error: error overloaded_error: Overloaded',
  ]);
});

test('conversation: refusals of OpenAI and of Gemini', () => {
  const refused = { choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: 'I will not.' } }] };
  expect(lines(ofResponse(refused))).toEqual(['assistant: refusal: I will not.']);
  expect(lines(ofResponse({ promptFeedback: { blockReason: 'SAFETY' } }))).toEqual(['model: refusal: SAFETY']);
});

test('conversation: a response that broke off is put together from its deltas', () => {
  const { stream } = modelBodies['openai-responses'];
  const broken = stream.slice(0, stream.indexOf('event: response.output_text.done'));
  expect(lines(ofResponse(broken)).at(-1)).toContain('call lookup({"word": "sluice"}) | A gate for water.');
});

test('conversation: a result without its call, and a call without its result, stay where they were', () => {
  const request = {
    messages: [
      { role: 'tool', tool_call_id: 'call_9', content: 'early' },
      { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: 'not JSON' } }] },
    ],
  };
  expect(lines(toConversation({ request: aBody(request), response: null }))).toEqual([
    'tool: [early]',
    'assistant: call f(not JSON)',
  ]);
});

test('conversation: the results of one tool called twice without ids go to its calls in order', () => {
  const call = { functionCall: { name: 'f', args: {} } };
  const result = (n: number) => ({ functionResponse: { name: 'f', response: { n } } });
  const request = { contents: [{ parts: [call, call] }, { parts: [result(1), result(2)] }] };
  expect(lines(toConversation({ request: aBody(request), response: null }))).toEqual([
    'user: call f({}) = [{"n": 1}] | call f({}) = [{"n": 2}]',
  ]);
});

test('conversation: of a body that was cut, what is there is a conversation, and a remark says so', () => {
  const { request, path } = modelBodies['openai-chat'];
  const whole = JSON.stringify(request);
  const cutAt = whole.indexOf('brief') + 3;
  const { messages, ...rest } = request;
  const reordered = JSON.stringify({ messages, ...rest }).slice(0, JSON.stringify({ messages }).indexOf('brief') + 3);
  const conversation = toConversation({ request: aBody(reordered, { isCut: true }), response: null, path });
  expect(lines(conversation)).toEqual(['system: You are bri']);
  expect(conversation.remarks).toEqual(['Only the beginning of the request’s body is here.']);
  // Without the mark, it is text like any other.
  expect(lines(toConversation({ request: aBody(whole.slice(0, cutAt)), response: null, path }))).toEqual([
    `request: raw: ${whole.slice(0, cutAt)}`,
  ]);
});

test('conversation: cut anywhere, a body is read, and loses no text that is there whole', () => {
  for (const shape of shapes) {
    const { request, path } = modelBodies[shape];
    const text = JSON.stringify(request);
    for (let at = 1; at < text.length; at += 1) {
      const body = aBody(text.slice(0, at), { isCut: true, bytes: text.length });
      const said = JSON.stringify(toConversation({ request: body, response: null, path }));
      const isThere = text.slice(0, at).includes('"You are brief."');
      expect([shape, at, !isThere || said.includes('You are brief.')]).toEqual([shape, at, true]);
    }
  }
});

test.each<[string, Partial<Body>, string]>([
  ['nothing that is known', { body: '{"hello":"there"}' }, '{"hello":"there"}'],
  ['no JSON', { body: 'Bad Gateway' }, 'Bad Gateway'],
  ['no text', { body: '/9j/4A==', encoding: 'base64' }, '/9j/4A=='],
])('conversation: of %s, it is the body as it was stored, with a remark', (_, body, text) => {
  const { turns, remarks } = ofResponse('', body);
  expect(turns).toEqual([{ side: 'response', role: 'response', finish: null, parts: [{ kind: 'raw', text }] }]);
  expect(remarks).toHaveLength(1);
});

test('conversation: a body with a NUL, which is stored as base64, is text again', () => {
  const text = JSON.stringify({ error: 'a\0b' }).replace('\\u0000', '\\u0000');
  const body = aBody(Buffer.from(`${text}`).toString('base64'), { encoding: 'base64' });
  expect(lines(toConversation({ request: null, response: body }))).toEqual(['error: error : a\0b']);
});

test('conversation: numbers that JavaScript rounds are remarked', () => {
  const tool = { type: 'message', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] };
  const text = JSON.stringify(tool).replace('"input":{}', '"input":{"id":12345678901234567890}');
  expect(ofResponse(text).remarks).toEqual([
    'The response has numbers of more than 15 digits; only the raw text has them exactly.',
  ]);
});

/** Text that nothing else in a body contains. */
const planted = '«planted»';

/** Where a text is not shown but measured, or says only where a part of a stream belongs. */
const measured = new Set([
  'data',
  'url',
  'embedding',
  'file_data',
  'encrypted_content',
  'obfuscation',
  'event_id',
  'item_id',
]);

interface Place {
  holder: Record<string, unknown>;
  key: string;
  path: string;
}

/** All places in a value, those of its base64 left out. */
function placesIn(value: unknown, path = ''): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(measured.has(key) ? [] : [{ holder: value as Place['holder'], key, path: `${path}.${key}` }]),
    ...placesIn(inner, `${path}.${key}`),
  ]);
}

/** In place of a value, or beside it: the text as what may stand anywhere. */
const forms = [planted, [planted], { text: planted }, { type: 'text', text: planted }, { deep: [{ text: planted }] }];

/** Puts the text into every place of a value, in every form: a copy for each. */
function* planting(value: unknown): Generator<{ where: string; copy: unknown }> {
  const count = placesIn(value).length;
  for (let at = 0; at < count; at += 1) {
    for (const form of forms) {
      for (const isBeside of [false, true]) {
        const copy = structuredClone(value);
        const { holder, key, path } = placesIn(copy)[at] as Place;
        const before = holder[key];
        if (!isBeside || typeof before !== 'object' || before === null) holder[key] = form;
        else if (Array.isArray(before)) before.push(form);
        else (before as Record<string, unknown>)['planted'] = form;
        yield { where: `${path} ${isBeside ? 'beside' : 'over'} ${JSON.stringify(form)}`, copy };
      }
    }
  }
}

test.each(shapes)('conversation: a text anywhere in the bodies of %s is in it', (shape) => {
  const { request, plain, path } = modelBodies[shape];
  const lost: string[] = [];
  const look = (where: string, bodies: { request: Body; response: Body }) => {
    if (!JSON.stringify(toConversation({ ...bodies, path })).includes(planted)) lost.push(where);
  };
  for (const { where, copy } of planting(request)) look(where, { request: aBody(copy), response: aBody(plain) });
  for (const { where, copy } of planting(plain)) look(where, { request: aBody(request), response: aBody(copy) });
  expect(lost).toEqual([]);
});

test.each(shapes)('conversation: a text anywhere in the stream of %s is in it', (shape) => {
  const events = modelBodies[shape].stream.split('\n\n').filter((event) => event.includes('data: {'));
  const lost: string[] = [];
  for (const [index, event] of events.entries()) {
    const [head = '', data = ''] = event.split('data: ');
    for (const { where, copy } of planting(JSON.parse(data))) {
      const changed = events.with(index, `${head}data: ${JSON.stringify(copy)}`);
      const said = JSON.stringify(ofResponse(changed.map((one) => `${one}\n\n`).join('')));
      if (!said.includes(planted)) lost.push(`event ${index}, ${where}`);
    }
  }
  expect(lost).toEqual([]);
});

test('conversation: whatever the bodies are, it does not throw', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(fc.json()).map((values) => toEventStream(values)),
    fc.constantFrom(...shapes).chain((shape) =>
      fc.record({ at: fc.nat(10_000), value: fc.jsonValue() }).map(({ at, value }) => {
        const { request, plain } = modelBodies[shape];
        const copy = structuredClone(at % 2 === 0 ? request : plain);
        const places = placesIn(copy);
        const place = places[at % places.length];
        if (place !== undefined) (place.holder as Record<string, unknown>)[place.key] = value;
        return JSON.stringify(copy);
      }),
    ),
  );
  const body = fc.record({
    body: anything,
    encoding: fc.constantFrom('utf8', 'utf8', 'base64'),
    bytes: fc.nat(),
    isCut: fc.boolean(),
  });
  fc.assert(
    fc.property(body, body, fc.constantFrom('', '/v1/messages', '/v1/embeddings'), (request, response, path) => {
      const { turns } = toConversation({ request, response, path });
      expect(Array.isArray(turns)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('conversation: neither deep nesting nor names of prototypes break it', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const inContent = `{"messages":[{"role":"user","content":${deep}},{"role":"user","content":"after"}]}`;
  expect(lines(toConversation({ request: aBody(inContent), response: null })).at(-1)).toBe('user: after');
  const nested = (depth: number): string =>
    depth === 0 ? '"inmost"' : `[{"type":"tool_result","tool_use_id":"t","content":${nested(depth - 1)}}]`;
  const results = `{"messages":[{"role":"user","content":${nested(500)}}]}`;
  expect(JSON.stringify(toConversation({ request: aBody(results), response: null }))).toContain('inmost');
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    const block = JSON.stringify({ messages: [{ role: name, content: [{ type: name, text: 'in it' }] }] });
    expect(JSON.stringify(toConversation({ request: aBody(block), response: null }))).toContain('in it');
    const stream = `data: {"${name}":{"text":"in it"},"choices":[{"delta":{"${name}":"in it"}}]}\n\n`;
    expect(JSON.stringify(ofResponse(stream))).toContain('in it');
  }
});

const many = (size: number, one: (n: number) => unknown) => Array.from({ length: size }, (_, n) => one(n));

test.each<[string, (size: number) => Bodies]>([
  [
    'deltas of one text',
    (size) => ({
      request: null,
      response: aBody(
        toEventStream(
          many(size, () => ({
            object: 'chat.completion.chunk',
            choices: [{ index: 0, delta: { content: 'ab ' } }],
          })) as object[],
        ),
      ),
    }),
  ],
  [
    'calls and results without ids',
    (size) => ({
      request: aBody({
        contents: [
          { parts: many(size, () => ({ functionCall: { name: 'f' } })) },
          { parts: many(size, (n) => ({ functionResponse: { name: 'f', response: n } })) },
        ],
      }),
      response: null,
    }),
  ],
  [
    'messages',
    (size) => ({
      request: aBody({ messages: many(size, (n) => ({ role: 'user', content: `${n}` })) }),
      response: null,
    }),
  ],
  ['levels', (size) => ({ request: aBody(`{"messages":[${'['.repeat(size)}${']'.repeat(size)}]}`), response: null })],
  [
    'backslashes of a cut text',
    (size) => ({ request: aBody(`{"messages":["${'\\'.repeat(size * 10 + 1)}`, { isCut: true }), response: null }),
  ],
  [
    'events of many items',
    (size) => ({
      request: null,
      response: aBody(
        toEventStream(
          many(size, (n) => ({ type: 'response.output_text.delta', output_index: n, delta: 'a' })) as object[],
        ),
      ),
    }),
  ],
])(
  'conversation: much of it takes no time that grows with its square: %s',
  (_, make) => {
    // The square of this many steps would take minutes.
    const { turns } = toConversation(make(100_000));
    expect(turns.length).toBeGreaterThan(0);
  },
  60_000,
);
