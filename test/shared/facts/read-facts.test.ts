import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFacts } from '../../../shared/facts/read-facts.ts';
import { noFacts, type RequestFacts } from '../../../shared/facts/request-facts.ts';
import type { ModelAnswer } from '../../support/model-answers/model-answer.ts';
import { streamedAnswers, wholeAnswers } from '../../support/model-answers.ts';

type Asked = Pick<ModelAnswer, 'endpoint' | 'model'> & {
  statusCode?: number;
  provider?: string | null;
  request?: string;
};

/** What a body says, as text and as it stands in a chunk, which must be the same. */
function factsOf(body: string, { endpoint, model, statusCode = 200, provider = null, request }: Asked): RequestFacts {
  const read = (response: string, isEscaped: boolean) =>
    readFacts({
      ...{ endpoint, model, statusCode, provider },
      request: request === undefined ? null : { text: request, isEscaped: false },
      response: { text: response, isEscaped },
    });
  const facts = read(body, false);
  const inside = JSON.stringify(body).slice(1, -1);
  // COPY reads escapes with a code in another way, so such a body is decoded before it is read.
  if (/(?:^|[^\\])(?:\\\\)*\\u/.test(inside)) return facts;
  const inChunk = read(Buffer.from(inside).toString('latin1'), true);
  // A comparison of texts: there are tens of thousands.
  if (JSON.stringify(inChunk) !== JSON.stringify(facts)) expect(inChunk).toEqual(facts);
  return facts;
}

test.each(wholeAnswers)('facts: $name', ({ body, facts, ...asked }) => {
  expect(factsOf(body, asked)).toEqual(facts);
});

test.each(streamedAnswers)('facts of a stream: $name', ({ stream, whole, facts, ...asked }) => {
  expect(factsOf(stream, asked)).toEqual(facts);
  expect(factsOf(whole, asked)).toEqual(facts);
});

test.each(streamedAnswers)('facts of a stream that broke off: $name', ({ stream, facts, ...asked }) => {
  // What goes in is told again by some, and is no more than was told by then.
  const fixed = ['provider', 'api', 'outputTokens', 'reasoningTokens', 'finishReason'] as const;
  for (let end = 0; end < stream.length; end += 1) {
    const cut = factsOf(stream.slice(0, end), asked);
    const other = fixed.filter((name) => cut[name] !== null && cut[name] !== facts[name]);
    if (other.length > 0) expect({ end, ...cut }).toEqual({ end, ...facts });
  }
  expect(factsOf(stream.slice(0, 0), asked).outputTokens).toBeNull();
});

test('facts: what the sender says of the provider goes before what the bodies say', () => {
  const [answer] = wholeAnswers.filter(({ facts }) => facts.provider === 'anthropic');
  const { body, facts, ...asked } = answer as ModelAnswer;
  expect(factsOf(body, { ...asked, provider: 'my-proxy' })).toEqual({ ...facts, provider: 'my-proxy' });
});

test('facts: of a span, the gateway has written who served it into the body of the request', () => {
  const asked = { endpoint: 'gen_ai/chat', model: 'm', request: '{"provider":"openai","messages":[]}' };
  expect(factsOf('{}', asked).provider).toBe('openai');
  expect(factsOf('{}', { ...asked, endpoint: '/v1/chat/completions' }).provider).toBeNull();
});

test('facts: without a response that is text, only the endpoint says something', () => {
  const asked = { endpoint: '/v1/messages', model: 'm', statusCode: 200, provider: null, request: null };
  expect(readFacts({ ...asked, response: null })).toEqual({ ...noFacts, api: 'anthropic-messages' });
});

test('facts: whatever somebody has changed in a body, nothing is thrown, and no number is one that cannot be', () => {
  const bodies = [
    ...wholeAnswers.map(({ body, endpoint, model }) => ({ body, endpoint, model })),
    ...streamedAnswers.map(({ stream, endpoint, model }) => ({ body: stream, endpoint, model })),
  ];
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    deleted: fc.nat(8),
    inserted: fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '9',
        '-',
        '.5',
        'e308',
        'null',
        '\n',
        '\n\ndata: ',
        '\\u0041',
        '"usage":{"prompt_tokens":7},',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...bodies),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      ({ body, ...asked }, changes) => {
        let changed = body;
        for (const { at, deleted, inserted } of changes) {
          const place = Math.floor(at * changed.length);
          changed = changed.slice(0, place) + inserted + changed.slice(place + deleted);
        }
        const { inputTokens, cachedTokens, outputTokens, reasoningTokens, toolCalls } = factsOf(
          changed.toWellFormed(),
          asked,
        );
        for (const number of [inputTokens, cachedTokens, outputTokens, reasoningTokens, toolCalls])
          expect(number === null || (Number.isInteger(number) && number >= 0 && number <= 1e9)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('facts: bodies of ten megabytes that are made to be slow are read, or passed over', () => {
  const million = 1_000_000;
  const bodies = [
    '['.repeat(10 * million),
    '{"a":'.repeat(2 * million),
    `{"object":"chat.completion","choices":[${'{},'.repeat(3 * million)}{}]}`,
    'data: {}\n'.repeat(million),
    `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}\n\n`.repeat(
      100_000,
    ),
    `data: ${'\\'.repeat(10 * million)}`,
    `event: ${'x'.repeat(10 * million)}`,
    'data: {\n'.repeat(million),
    `${':\n'.repeat(million)}data: {"a":1}\n\n`.repeat(3),
    `{"usage":${'1'.repeat(10 * million)}}`,
    `{"${'\\u0041'.repeat(million)}":1}`,
  ];
  for (const body of bodies) {
    expect(factsOf(body, { endpoint: '/v1/chat/completions', model: 'm' })).toMatchObject({
      inputTokens: null,
      outputTokens: null,
    });
  }
}, 120_000);
