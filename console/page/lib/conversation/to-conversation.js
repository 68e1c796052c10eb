import { readMessagesRequest, readMessagesResponse } from './anthropic.js';
import { assembleMessage } from './assemble-anthropic.js';
import { assembleChat } from './assemble-chat.js';
import { assembleGemini } from './assemble-gemini.js';
import { assembleResponse } from './assemble-responses.js';
import { textOfBody } from './body-text.js';
import { parseCutJson } from './cut-json.js';
import { readEmbeddingsRequest, readEmbeddingsResponse } from './embeddings.js';
import { readError } from './errors.js';
import { isEventStream, parseEventStream } from './event-stream.js';
import { Fields, isObject } from './fields.js';
import { readGeminiRequest, readGeminiResponse } from './gemini.js';
import { parseJson } from './json-text.js';
import { readChatRequest, readChatResponse, readCompletionsRequest } from './openai-chat.js';
import { readResponsesRequest, readResponsesResponse } from './openai-responses.js';
import { shapeOfRequest, shapeOfResponse, shapeOfStream } from './shapes.js';
import { pairCalls, toTurn } from './turns.js';

/** @typedef {import('./conversation.d.ts').Body} Body */
/** @typedef {import('./conversation.d.ts').Conversation} Conversation */
/** @typedef {import('./conversation.d.ts').Shape} Shape */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {import('./read-bodies.d.ts').JsonEvent} JsonEvent */
/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */
/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** @type {Record<Shape, ReadSide>} */
const requestReaders = {
  'openai-chat': readChatRequest,
  'openai-completions': readCompletionsRequest,
  'openai-responses': readResponsesRequest,
  'openai-embeddings': readEmbeddingsRequest,
  'anthropic-messages': readMessagesRequest,
  gemini: readGeminiRequest,
};

/** @type {Record<Shape, ReadSide>} */
const responseReaders = {
  'openai-chat': readChatResponse,
  'openai-completions': readChatResponse,
  'openai-responses': readResponsesResponse,
  'openai-embeddings': readEmbeddingsResponse,
  'anthropic-messages': readMessagesResponse,
  gemini: readGeminiResponse,
};

const assemblers = {
  'openai-chat': assembleChat,
  'openai-completions': assembleChat,
  'openai-responses': assembleResponse,
  'anthropic-messages': assembleMessage,
  gemini: assembleGemini,
};

/** @typedef {{ shape: Shape | null, isStream: boolean, turns: Turn[], fields: import('./conversation.d.ts').Field[], remarks: string[] }} Side */

/**
 * The conversation that the bodies of a request are: what was said, called and answered, in order, with a stream put together. It
 * never throws, takes time in proportion to the bodies, and leaves nothing out: what it does not know is there as it was stored.
 *
 * @param {{ request: Body | null, response: Body | null, path?: string }} bodies null: there is none
 * @returns {Conversation}
 */
export function toConversation({ request, response, path = '' }) {
  const asked = readSide(request, 'request', (value) => readRequest(value, path));
  const answered = readSide(response, 'response', readAnswer);
  return {
    request: { shape: asked.shape, isStream: asked.isStream },
    response: { shape: answered.shape, isStream: answered.isStream },
    turns: pairCalls([...asked.turns, ...answered.turns]),
    settings: asked.fields,
    answer: answered.fields,
    remarks: [...asked.remarks, ...answered.remarks],
  };
}

/** @typedef {(value: unknown) => Omit<Side, 'isStream' | 'remarks'> | null} ReadValue */

/** @param {Body | null} body @param {Turn['side']} side @param {ReadValue} read @returns {Side} */
function readSide(body, side, read) {
  if (body === null || body.body === '') return { shape: null, isStream: false, turns: [], fields: [], remarks: [] };
  const { text, isBinary } = textOfBody(body);
  const name = side === 'request' ? 'request' : 'response';
  const remarks = body.isCut ? [`Only the beginning of the ${name}’s body is here.`] : [];
  if (isBinary) return asStored(text, side, [...remarks, `The ${name}’s body is not text; it is shown as base64.`]);
  if (side === 'response' && isEventStream(text)) {
    const stream = readStream(text, body.isCut);
    if (stream !== null) return { ...stream, remarks: [...remarks, ...stream.remarks] };
  }
  const value = parseJson(text);
  const found = value === undefined && body.isCut ? parseCutJson(text)?.value : value;
  const known = found === undefined ? null : read(found);
  if (known === null) {
    return asStored(text, side, [
      ...remarks,
      `The ${name}’s body is in no form that this page knows; it is shown as it was stored.`,
    ]);
  }
  if (hasLongNumber(text))
    remarks.push(`The ${name} has numbers of more than 15 digits; only the raw text has them exactly.`);
  return { ...known, isStream: Array.isArray(found), remarks };
}

/** Outside of texts, as far as that can be told at a glance. @param {string} text */
function hasLongNumber(text) {
  return /[:,[]\s?-?\d{16}/.test(text);
}

/** @param {string} text @param {Turn['side']} side @param {string[]} remarks @returns {Side} */
function asStored(text, side, remarks) {
  return {
    shape: null,
    isStream: false,
    turns: toTurn(side, side, [{ kind: 'raw', text }]),
    fields: [],
    remarks,
  };
}

/** @param {unknown} value @param {string} path @returns {ReturnType<ReadValue>} */
function readRequest(value, path) {
  if (!isObject(value)) return null;
  const shape = shapeOfRequest(value, path);
  if (shape === null) return null;
  const fields = new Fields(value);
  return { shape, turns: requestReaders[shape](fields), fields: fields.rest() };
}

/** @type {ReadValue} */
function readAnswer(value) {
  // Without server-sent events, Gemini streams a list of its answers.
  if (Array.isArray(value)) {
    if (!value.every((one) => isObject(one) && (shapeOfResponse(one) === 'gemini' || isObject(one['error']))))
      return null;
    const events = value.map((json) => ({ name: null, data: '', json }));
    return readAssembled('gemini', events);
  }
  return isObject(value) ? readObject(value) : null;
}

/** @param {JsonObject} value @returns {ReturnType<ReadValue>} */
function readObject(value) {
  const shape = shapeOfResponse(value);
  const fields = new Fields(value);
  const turns = shape === null ? [] : responseReaders[shape](fields);
  const errors = readError(fields);
  return shape === null && errors.length === 0 ? null : { shape, turns: [...turns, ...errors], fields: fields.rest() };
}

/** @param {Exclude<Shape, 'openai-embeddings'>} shape @param {JsonEvent[]} events @returns {NonNullable<ReturnType<ReadValue>>} */
function readAssembled(shape, events) {
  /** @param {JsonEvent} event */
  const isError = ({ json }) => isObject(json) && (isObject(json['error']) || json['type'] === 'error');
  const { body, unread } = assemblers[shape](events.filter((event) => !isError(event)));
  const fields = new Fields(body);
  const turns = responseReaders[shape](fields);
  const errors = events.filter(isError).flatMap(({ json }) => {
    const ofError = new Fields(/** @type {JsonObject} */ (json));
    const said = readError(ofError);
    const rest = ofError.rest();
    return [...said, ...toTurn('response', 'error', rest.length === 0 ? [] : [{ kind: 'other', fields: rest }])];
  });
  return { shape, turns: [...turns, ...readError(fields), ...errors, ...unreadTurn(unread)], fields: fields.rest() };
}

/** @param {string[]} texts @returns {Turn[]} */
function unreadTurn(texts) {
  return toTurn('response', 'not understood', texts.length === 0 ? [] : [{ kind: 'raw', text: texts.join('\n') }]);
}

/** @param {string} text @param {boolean} isCut @returns {Side | null} */
function readStream(text, isCut) {
  const { events, strays } = parseEventStream(text);
  /** @type {JsonEvent[]} */
  const parsed = [];
  for (const [index, event] of events.entries()) {
    if (event.data.trim() === '[DONE]') continue;
    const isLast = index === events.length - 1;
    const json = parseJson(event.data) ?? (isLast && isCut ? parseCutJson(event.data)?.value : undefined);
    parsed.push({ ...event, json });
  }
  const shape = shapeOfStream(parsed.map(({ json }) => json));
  if (shape === null && parsed.every(({ json }) => !isObject(json) || readError(new Fields(json)).length === 0))
    return null;
  const read = readAssembled(
    shape ?? 'openai-chat',
    parsed.filter(({ json }) => json !== undefined),
  );
  const broken = [...parsed.filter(({ json }) => json === undefined).map(({ data }) => data), ...strays];
  const remarks =
    broken.length === 0 ? [] : ['Some lines of the stream are not understood; they are shown as they were stored.'];
  return { ...read, shape, isStream: true, turns: [...read.turns, ...unreadTurn(broken)], remarks };
}
