import { isObject } from './fields.js';
import { parseJson, toJsonText } from './json-text.js';
import { isSuperseded } from './superseded.js';

/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */
/** @typedef {import('./read-bodies.d.ts').JsonEvent} JsonEvent */
/** @typedef {import('./read-bodies.d.ts').Assembled} Assembled */

/** What a delta carries, by its type: the field of the block that it adds to. @type {Record<string, readonly [from: string, to: string] | undefined>} */
const grown = Object.assign(Object.create(null), {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  signature_delta: ['signature', 'signature'],
  input_json_delta: ['partial_json', 'input'],
});

/**
 * The events of a message of Anthropic as the message in one piece.
 *
 * @param {JsonEvent[]} events
 * @returns {Assembled}
 */
export function assembleMessage(events) {
  /** @type {JsonObject} */
  const message = {};
  /** @type {Map<number, JsonObject>} */
  const blocks = new Map();
  /** the JSON that a model writes as the input of a tool, by block @type {Map<number, string>} */
  const inputs = new Map();
  /** @type {string[]} */
  const unread = [];
  for (const { json, data } of events) {
    if (!isObject(json) || !add(json, { message, blocks, inputs })) unread.push(data);
  }
  for (const [index, text] of inputs) {
    const block = blocks.get(index);
    if (block === undefined) continue;
    const { input } = block;
    if (isObject(input) ? !isEmpty(input) : input !== undefined) unread.push(toJsonText({ input }));
    block['input'] = parseJson(text) ?? text;
  }
  const content = [...blocks.keys()].toSorted((a, b) => a - b).map((index) => blocks.get(index));
  return {
    body: { ...message, ...(content.length > 0 || message['content'] !== undefined ? { content } : {}) },
    unread,
  };
}

/** @typedef {{ message: JsonObject, blocks: Map<number, JsonObject>, inputs: Map<number, string> }} State */

/** @param {JsonObject} event @param {State} state @returns whether all of it is in the message now */
function add(event, state) {
  const { type, ...rest } = event;
  const { message } = state;
  switch (type) {
    case 'message_start': {
      const { message: start, ...others } = rest;
      if (!isObject(start) || Object.keys(message).length > 0) return false;
      Object.assign(message, start);
      return isEmpty(others) && (start['content'] === undefined || isEmptyList(start['content']));
    }
    case 'content_block_start': {
      const { index, content_block: block, ...others } = rest;
      if (typeof index !== 'number' || !isObject(block) || state.blocks.has(index)) return false;
      state.blocks.set(index, { ...block });
      return isEmpty(others);
    }
    case 'content_block_delta':
      return addDelta(rest, state);
    case 'message_delta': {
      const { delta, usage, ...others } = rest;
      const isCounted = usage === undefined || addUsage(message, usage);
      return (delta === undefined || (isObject(delta) && addFinish(message, delta))) && isCounted && isEmpty(others);
    }
    case 'content_block_stop':
      return typeof rest['index'] === 'number' && Object.keys(rest).length === 1;
    case 'message_stop':
    case 'ping':
      return isEmpty(rest);
    default:
      return false;
  }
}

/** The figures of the end take the place of those of the start. @param {JsonObject} message @param {unknown} usage */
function addUsage(message, usage) {
  const before = message['usage'] ?? {};
  if (!isObject(before) || !isObject(usage)) return false;
  const isRead = Object.keys(usage).every((name) => isSuperseded(before[name], usage[name]));
  if (isRead) message['usage'] = { ...before, ...usage };
  return isRead;
}

/** @param {JsonObject} message @param {JsonObject} delta */
function addFinish(message, delta) {
  const isFree = Object.keys(delta).every((name) => isSuperseded(message[name], delta[name] ?? message[name]));
  if (isFree) for (const [name, value] of Object.entries(delta)) message[name] = value ?? message[name] ?? null;
  return isFree;
}

/** @param {JsonObject} event @param {State} state */
function addDelta({ index, delta, ...others }, { blocks, inputs }) {
  const block = typeof index === 'number' ? blocks.get(index) : undefined;
  if (typeof index !== 'number' || block === undefined || !isObject(delta) || !isEmpty(others)) return false;
  const { type, ...rest } = delta;
  if (type === 'citations_delta' && isObject(rest['citation']) && Object.keys(rest).length === 1) {
    const citations = block['citations'] ?? [];
    if (!Array.isArray(citations)) return false;
    block['citations'] = citations;
    citations.push(rest['citation']);
    return true;
  }
  const [from, to] = grown[String(type)] ?? ['', ''];
  const text = rest[from];
  if (typeof text !== 'string' || Object.keys(rest).length !== 1) return false;
  if (to === 'input') inputs.set(index, (inputs.get(index) ?? '') + text);
  else if (block[to] === undefined || typeof block[to] === 'string') block[to] = (block[to] ?? '') + text;
  else return false;
  return true;
}

/** @param {JsonObject} object */
function isEmpty(object) {
  return Object.keys(object).length === 0;
}

/** @param {unknown} value */
function isEmptyList(value) {
  return Array.isArray(value) && value.length === 0;
}
