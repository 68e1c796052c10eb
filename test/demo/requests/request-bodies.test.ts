import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../demo/random.ts';
import { createProse } from '../../../demo/requests/prose.ts';
import {
  toErrorResponse,
  toEventStream,
  toJsonResponse,
  toRequestBody,
} from '../../../demo/requests/request-bodies.ts';

const answer = { id: 'a', model: 'gpt-5', text: 'x'.repeat(150), inputTokens: 3, outputTokens: 38 };

/** The text that a reader of a stream puts together. */
function textOf(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)).choices[0].delta.content ?? '')
    .join('');
}

describe('prose', () => {
  test('prose: as many bytes as asked for, more than its source has too, and the same for the same seed', () => {
    for (const bytes of [0, 1, 4_096, 700_000]) {
      const text = createProse(createRandom(1))(bytes);
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(createProse(createRandom(1))(bytes)).toBe(text);
    }
  });
});

describe('request bodies', () => {
  test('request bodies: a request says what is asked, and how', () => {
    const body = { model: 'gpt-5', prompt: 'why?', stream: true, background: false };
    expect(JSON.parse(toRequestBody(body))).toMatchObject({ model: 'gpt-5', stream: true });
    expect(JSON.parse(toRequestBody({ ...body, stream: false, background: true }))).toMatchObject({ background: true });
    expect(toRequestBody(body)).toContain('why?');
  });

  test('request bodies: an answer is the same in one piece and as a stream', () => {
    expect(JSON.parse(toJsonResponse(answer)).output[0].content[0].text).toBe(answer.text);
    const stream = toEventStream(answer, { isBrokenOff: false });
    expect(textOf(stream)).toBe(answer.text);
    expect(stream.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('request bodies: a stream that broke off has no end', () => {
    expect(toEventStream(answer, { isBrokenOff: true })).not.toContain('[DONE]');
    expect(toEventStream({ ...answer, text: '' }, { isBrokenOff: true })).toBe('');
  });

  test('request bodies: an error names its type', () => {
    expect(JSON.parse(toErrorResponse(429)).error).toMatchObject({ type: 'rate_limit_error', code: 429 });
    expect(JSON.parse(toErrorResponse(503)).error).toMatchObject({ type: 'server_error', code: 503 });
  });
});
