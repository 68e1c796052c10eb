import { isObject } from './fields.js';
import { isSuperseded } from './superseded.js';

/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */
/** @typedef {import('./read-bodies.d.ts').JsonEvent} JsonEvent */
/** @typedef {import('./read-bodies.d.ts').Assembled} Assembled */

/** Fields of a message that arrive piece by piece. */
const pieced = new Set([
  'content',
  'refusal',
  'reasoning_content',
  'reasoning',
  'arguments',
  'input',
  'transcript',
  'data',
  'text',
]);

/**
 * The chunks of a chat completion (or of a completion) as the answer in one piece.
 *
 * @param {JsonEvent[]} events
 * @returns {Assembled}
 */
export function assembleChat(events) {
  /** @type {JsonObject} */
  const body = {};
  /** @type {Map<unknown, JsonObject>} */
  const choices = new Map();
  /** @type {string[]} */
  const unread = [];
  for (const { json, data } of events) {
    if (!isObject(json) || !addChunk(body, choices, json)) unread.push(data);
  }
  const ofChoices = [...choices.values()];
  return { body: { ...body, ...(ofChoices.length === 0 ? {} : { choices: ofChoices }) }, unread };
}

/**
 * @param {JsonObject} body
 * @param {Map<unknown, JsonObject>} choices
 * @param {JsonObject} chunk
 * @returns whether all of it is in the answer now
 */
function addChunk(body, choices, chunk) {
  let isRead = true;
  for (const [name, value] of Object.entries(chunk)) {
    if (name === 'choices' && Array.isArray(value)) {
      for (const delta of value) isRead = isObject(delta) && addChoice(choices, delta) && isRead;
    } else if (name === 'object' && value === 'chat.completion.chunk') {
      isRead = setOnce(body, name, 'chat.completion') && isRead;
    }
    // Padding of a random length, which says nothing.
    else if (name !== 'obfuscation' || typeof value !== 'string')
      isRead = name !== 'choices' && setOnce(body, name, value) && isRead;
  }
  return isRead;
}

/** @param {Map<unknown, JsonObject>} choices @param {JsonObject} delta */
function addChoice(choices, delta) {
  const index = delta['index'] ?? 0;
  if (typeof index !== 'number') return false;
  const choice = choices.get(index) ?? { index };
  choices.set(index, choice);
  let isRead = true;
  for (const [name, value] of Object.entries(delta)) {
    if (name === 'index') continue;
    if (name === 'delta' && isObject(value)) {
      const message = choice['message'] ?? {};
      choice['message'] = message;
      isRead = isObject(message) && merge(message, value) && isRead;
    } else if (name === 'text' && typeof value === 'string' && isTextOrNone(choice[name])) {
      choice[name] = textOf(choice[name]) + value;
    } else if (name === 'logprobs' && isObject(value)) isRead = addLogprobs(choice, value) && isRead;
    else isRead = setOnce(choice, name, value) && isRead;
  }
  return isRead;
}

/** Texts grow, calls are merged by their index, and all else is said once. @param {JsonObject} into @param {JsonObject} delta @returns {boolean} */
function merge(into, delta) {
  let isRead = true;
  for (const [name, value] of Object.entries(delta)) {
    if (pieced.has(name) && typeof value === 'string') {
      if (isTextOrNone(into[name])) into[name] = textOf(into[name]) + value;
      else isRead = false;
    } else if (isObject(value) && ['function', 'custom', 'function_call', 'audio'].includes(name)) {
      const within = isObject(into[name]) ? into[name] : {};
      if (into[name] != null && within !== into[name]) isRead = false;
      else {
        into[name] = within;
        isRead = merge(within, value) && isRead;
      }
    } else if (Array.isArray(value) && name === 'tool_calls') {
      const calls = into[name] ?? [];
      into[name] = calls;
      for (const call of value) isRead = Array.isArray(calls) && isObject(call) && addCall(calls, call) && isRead;
    } else if (Array.isArray(value) && Array.isArray(into[name])) for (const one of value) into[name].push(one);
    else isRead = setOnce(into, name, value) && isRead;
  }
  return isRead;
}

/** More calls at once than any model makes. */
const maxCalls = 1_000;

/** @param {unknown[]} calls @param {JsonObject} delta @returns {boolean} */
function addCall(calls, delta) {
  const index = delta['index'] ?? Math.max(0, calls.length - 1);
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= maxCalls) return false;
  while (calls.length <= index) calls.push({});
  const { index: _, ...rest } = delta;
  return merge(/** @type {JsonObject} */ (calls[index]), rest);
}

/** @param {JsonObject} choice @param {JsonObject} logprobs */
function addLogprobs(choice, logprobs) {
  const before = choice['logprobs'] ?? {};
  if (!isObject(before)) return false;
  choice['logprobs'] = before;
  return merge(before, logprobs);
}

/** A field that only one event has, or that each repeats, with figures that grow. @param {JsonObject} into @param {string} name @param {unknown} value */
function setOnce(into, name, value) {
  if (value === null || value === '') {
    into[name] ??= value;
    return true;
  }
  if (!isSuperseded(into[name], value)) return false;
  into[name] = value;
  return true;
}

/** @param {unknown} value */
function isTextOrNone(value) {
  return value === null || value === undefined || typeof value === 'string';
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' ? value : '';
}
