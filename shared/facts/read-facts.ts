import type { Answer } from './answer.ts';
import { messagesWanted, readMessage, readMessageStream } from './anthropic-messages.ts';
import { EventForms } from './event-forms.ts';
import { geminiWanted, readGemini } from './gemini.ts';
import { chatWanted, readChat, readChatStream, readEmbeddings } from './openai-chat.ts';
import { readResponse, readResponseStream, responsesWanted } from './openai-responses.ts';
import { usageWanted } from './openai-usage.ts';
import { providerOf } from './provider.ts';
import { type Api, noFacts, type RequestFacts } from './request-facts.ts';
import { JsonSelector, type Selected, selectJson, toSelection } from './select-json.ts';
import { elementsOf, isObject, memberOf, textOf, wordOf } from './selected-values.ts';
import { readSpanAnswer, spanWanted } from './span-answer.ts';
import { isEventStream, readEvents, type StreamEnd } from './stream-events.ts';

/** A stored body that is text. */
export interface BodyText {
  text: string;
  /** see JsonSelector */
  isEscaped: boolean;
}

/** What is known of a request that has ended. */
export interface EndedRequest {
  endpoint: string;
  model: string;
  statusCode: number;
  /** as the sender says; null: it does not */
  provider: string | null;
  /** null: none, or no text */
  request: BodyText | null;
  /** null: none, or no text */
  response: BodyText | null;
}

const selection = toSelection({
  ...chatWanted,
  ...responsesWanted,
  ...messagesWanted,
  ...geminiWanted,
  ...spanWanted,
  usage: usageWanted,
  data: [{ object: true }],
  error: true,
  // of Azure only
  prompt_filter_results: true,
});
const selectionOfList = { members: null, item: selection };
const [forms, formsInChunks] = [new EventForms(selection, false), new EventForms(selection, true)];
const selectionOfRequest = toSelection({ provider: true });

const whole: StreamEnd = { isDone: true, isDamaged: false };
const [openBrace, openBracket] = [0x7b, 0x5b];

/**
 * What the bodies of a request say: see docs/requests.md. Whatever they hold, it does not throw, and takes time and memory in
 * proportion to their text. What is no shape that it knows, or damaged, says nothing.
 */
export function readFacts(request: EndedRequest): RequestFacts {
  const { provider, answer, api } = readResponseBody(request);
  const named = request.provider ?? providerOfSpan(request) ?? provider;
  return answer === null ? { ...noFacts, provider: named, api } : { provider: named, api, ...answer };
}

interface Reading {
  api: Api | null;
  answer: Answer | null;
  provider: string | null;
}

const unknown: Reading = { api: null, answer: null, provider: null };

function readResponseBody(request: EndedRequest): Reading {
  const { response, endpoint, statusCode } = request;
  const unread = (): Reading => ({ api: apiOfEndpoint(endpoint), answer: null, provider: null });
  if (response === null || response.text === '') return unread();
  const { text, isEscaped } = response;
  const selector = new JsonSelector(text, { isEscaped });
  const first = selector.peek();
  if (first === openBrace) {
    const body = selectJson(text, selection, { isEscaped });
    if (body === undefined) return unread();
    const reading = readWhole(body, request);
    // An error has no shape of its own; neither has what is not of the endpoint's kind.
    const isError = isObject(memberOf(body, 'error')) || statusCode < 200 || statusCode > 299;
    return reading ?? (isError ? unread() : unknown);
  }
  if (first === openBracket) {
    const pieces = selectJson(text, selectionOfList, { isEscaped });
    return pieces === undefined ? unread() : (readPieces(elementsOf(pieces), whole, request) ?? unknown);
  }
  if (!isEventStream(text, selector.at)) return statusCode === 200 ? unknown : unread();
  const stream = readEvents(text, isEscaped ? formsInChunks : forms);
  return readPieces(stream.events, stream, request) ?? unread();
}

/** Null: no shape that is known. */
function readWhole(body: Selected, { endpoint, model }: EndedRequest): Reading | null {
  const found = (api: Api, answer: Answer): Reading => ({
    ...{ api, answer },
    provider: providerOf({ api, endpoint, model }, [body]),
  });
  const object = memberOf(body, 'object');
  const choices = memberOf(body, 'choices');
  if (object === 'chat.completion') return found('openai-chat', readChat(body));
  if (object === 'text_completion') return found('openai-completions', readChat(body));
  if (object === 'response') return found('openai-responses', readResponse(body));
  if (object === 'list' && isEmbedding(body)) return found('openai-embeddings', readEmbeddings(body));
  if (memberOf(body, 'type') === 'message' && Array.isArray(memberOf(body, 'content')))
    return found('anthropic-messages', readMessage(body));
  if (isGemini(body)) return found('gemini', readGemini([body], whole));
  if (Array.isArray(choices) && apiOfEndpoint(endpoint) === 'openai-chat') return found('openai-chat', readChat(body));
  if (endpoint.startsWith(spanEndpoint)) return { api: null, answer: readSpanAnswer(body), provider: null };
  return null;
}

/** Null: no shape that is known. */
function readPieces(pieces: readonly Selected[], end: StreamEnd, request: EndedRequest): Reading | null {
  const api = apiOfPieces(pieces, request.endpoint);
  if (api === null) return null;
  return { api, answer: readStream(api, pieces, end), provider: providerOf({ ...request, api }, pieces) };
}

function readStream(api: Api, pieces: readonly Selected[], end: StreamEnd): Answer | null {
  switch (api) {
    case 'openai-chat':
    case 'openai-completions':
      return readChatStream(pieces, end);
    case 'openai-responses':
      return readResponseStream(pieces, end);
    case 'anthropic-messages':
      return readMessageStream(pieces, end);
    case 'gemini':
      return readGemini(pieces, end);
    case 'openai-embeddings':
      return null;
  }
}

function apiOfPieces(pieces: readonly Selected[], endpoint: string): Api | null {
  for (const piece of pieces) {
    const object = memberOf(piece, 'object');
    const type = textOf(memberOf(piece, 'type'));
    if (object === 'chat.completion.chunk') return 'openai-chat';
    if (object === 'text_completion') return 'openai-completions';
    if (type?.startsWith('response.')) return 'openai-responses';
    if (type === 'message_start') return 'anthropic-messages';
    if (isGemini(piece)) return 'gemini';
    if (elementsOf(memberOf(piece, 'choices')).length > 0 && apiOfEndpoint(endpoint) === 'openai-chat')
      return 'openai-chat';
  }
  return null;
}

function isGemini(body: Selected): boolean {
  return Array.isArray(memberOf(body, 'candidates')) || isObject(memberOf(body, 'usageMetadata'));
}

function isEmbedding(body: Selected): boolean {
  const [first] = elementsOf(memberOf(body, 'data'));
  return memberOf(first, 'object') === 'embedding';
}

const spanEndpoint = 'gen_ai/';

const endpoints: readonly [RegExp, Api][] = [
  [/\/chat\/completions$/, 'openai-chat'],
  [/\/completions$/, 'openai-completions'],
  [/\/responses$/, 'openai-responses'],
  [/\/embeddings$/, 'openai-embeddings'],
  [/\/v1\/messages$/, 'anthropic-messages'],
  [/:(?:generateContent|streamGenerateContent)$/, 'gemini'],
];

/** What the path of an API says of its bodies. */
function apiOfEndpoint(endpoint: string): Api | null {
  const query = endpoint.indexOf('?');
  const path = query === -1 ? endpoint : endpoint.slice(0, query);
  return endpoints.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

/** The gateway writes who served it into what it makes of a span's request. */
function providerOfSpan({ endpoint, request }: EndedRequest): string | null {
  if (request === null || !endpoint.startsWith(spanEndpoint)) return null;
  return wordOf(memberOf(selectJson(request.text, selectionOfRequest, request), 'provider'));
}
