import { expect, test } from 'vitest';
import { toRequestJson, toRequestLines } from '../../../cli/output/request-lines.ts';
import type { StoredRequest } from '../../../queries/requests/requests.ts';

const body = { encoding: 'utf8', bytes: 2_048, isCut: false, leftOutChars: 0 } as const;
const at = new Date('2026-03-01T12:00:00Z');
const request: StoredRequest = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  state: 'failed',
  model: 'm-1',
  serviceTier: 'priority',
  createdBy: 'org-7',
  method: 'POST',
  path: '/v1/responses',
  apiKeyHash: null,
  request: { ...body, body: 'private question' },
  response: { ...body, body: 'private answer\nin two lines', status: 500, isStream: true, isIncomplete: true },
  error: '{"type":"NonRetriableHttpStatus","details":{"status":500,"body":"private answer"}}',
  traceId: null,
  spanId: null,
  notes: null,
  createdAt: at,
  storedAt: at,
  startedAt: at,
  completedAt: null,
  failedAt: at,
  canceledAt: null,
  facts: {
    provider: null,
    api: null,
    inputTokens: null,
    cachedTokens: null,
    outputTokens: null,
    reasoningTokens: null,
    finishReason: null,
    toolCalls: null,
    firstTokenAt: null,
    cost: null,
  },
};

test('request: for a program, too, bodies and the error are there only when asked for', () => {
  expect(toRequestJson(request, { bodies: true })).toEqual(request);
  const hidden = toRequestJson(request, { bodies: false });
  expect(JSON.stringify(hidden)).not.toContain('private');
  expect(hidden).toMatchObject({
    state: 'failed',
    request: { bytes: 2_048 },
    response: { status: 500, isStream: true },
  });
  expect(hidden).not.toHaveProperty('error');
});

test('request: the lines of a body are lines, and without bodies it is said how to see them', () => {
  const shown = toRequestLines(request, { bodies: true }).map(String);
  expect(shown).toContain('private answer');
  expect(shown).toContain('in two lines');
  const hidden = toRequestLines(request, { bodies: false }).map(String).join('\n');
  expect(hidden).not.toContain('private');
  expect(hidden).toContain(
    'response    status 500, 2.0 KiB, a stream, incomplete\n            body hidden, use --bodies to show it',
  );
});

test('request: what its bodies say and what it cost is told in words, and what they do not say is left out', () => {
  const facts = {
    ...request.facts,
    ...{ provider: 'openai', api: 'openai-chat', inputTokens: 12_000, cachedTokens: 896, outputTokens: 300 },
    ...{ reasoningTokens: 0, finishReason: 'tool_calls', toolCalls: 2, firstTokenAt: new Date(at.getTime() + 250) },
    cost: { currency: 'USD', amount: '0.00425' },
  };
  const lines = toRequestLines({ ...request, facts }, { bodies: false }).map(String);
  expect(lines).toEqual(
    expect.arrayContaining([
      'served      openai-chat, by openai',
      'tokens      12,000 in (896 from a cache), 300 out',
      'cost        0.00425 USD',
      'first token 250 ms after the start',
      'finished    tool_calls, 2 calls of tools',
    ]),
  );
  const without = toRequestLines(request, { bodies: false }).map(String).join('\n');
  for (const word of ['served', 'tokens', 'cost', 'first token', 'finished']) expect(without).not.toContain(`${word} `);
});
