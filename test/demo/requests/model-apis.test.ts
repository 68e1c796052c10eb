import { expect, test } from 'vitest';
import type { Conversation } from '../../../console/page/lib/conversation/conversation.d.ts';
import type { Answer, Question } from '../../../demo/requests/apis/model-api.ts';
import { type ApiName, modelApis } from '../../../demo/requests/apis/model-apis.ts';
import { readFacts } from '../../../shared/facts/read-facts.ts';
import { pageModule } from '../../support/page-module.ts';

const { toConversation } = await pageModule<{ toConversation(bodies: object): Conversation }>(
  'lib/conversation/to-conversation.js',
);

const question: Question = {
  model: 'm-1',
  prompt: 'why? '.repeat(40),
  stream: false,
  background: false,
  toolResult: 'found',
};
const answer: Answer = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  model: 'm-1',
  text: 'because of that. '.repeat(30),
  toolCall: { name: 'search_documents', input: { query: 'x' } },
  usage: { inputTokens: 100, cachedTokens: 40, outputTokens: 50, reasoningTokens: 0 },
};

const names = Object.keys(modelApis) as ApiName[];
const streaming = names.filter((name) => name !== 'openai-embeddings');
const factsOf = (name: ApiName, text: string) =>
  readFacts({
    endpoint: modelApis[name].endpoint('m-1', false),
    model: 'm-1',
    statusCode: 200,
    provider: null,
    request: null,
    response: { text, isEscaped: false },
  });
const turnsOf = (name: ApiName, response: string) => {
  const body = (text: string) => ({ body: text, encoding: 'utf8', bytes: text.length, isCut: false });
  const path = modelApis[name].endpoint('m-1', false);
  return toConversation({ path, request: body(modelApis[name].toRequest(question)), response: body(response) });
};

test.each(names)('model APIs: bodies of %s are of that shape, for the reader of facts and for the page', (name) => {
  const response = modelApis[name].toResponse(answer);
  const { usage } = answer;
  const isText = name !== 'openai-embeddings';
  expect(factsOf(name, response)).toMatchObject({
    api: name,
    inputTokens: usage.inputTokens,
    ...(isText
      ? { cachedTokens: usage.cachedTokens, outputTokens: usage.outputTokens, toolCalls: 1 }
      : { outputTokens: 0 }),
  });
  const { request, response: said, remarks } = turnsOf(name, response);
  expect([request.shape, said.shape, remarks]).toEqual([name, name, []]);
});

test.each(streaming)('model APIs: %s says the same as a stream, and one that broke off has no end', (name) => {
  const whole = modelApis[name].toStream(answer, { isBrokenOff: false });
  expect(factsOf(name, whole)).toEqual(factsOf(name, modelApis[name].toResponse(answer)));
  expect(turnsOf(name, whole).turns).toEqual(turnsOf(name, modelApis[name].toResponse(answer)).turns);
  const broken = modelApis[name].toStream(answer, { isBrokenOff: true });
  expect(broken.length).toBeLessThan(whole.length);
  expect(factsOf(name, broken)).toMatchObject({ outputTokens: null, finishReason: null });
  expect(JSON.stringify(turnsOf(name, broken).turns)).toContain('because of that.');
});
