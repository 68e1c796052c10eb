import { isObject } from './fields.js';

/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */
/** @typedef {import('./read-bodies.d.ts').JsonEvent} JsonEvent */
/** @typedef {import('./read-bodies.d.ts').Assembled} Assembled */

/** Where a delta of an event belongs in its item. */
const places = /** @type {const} */ ({
  output_text: ['content', 'output_text', 'text'],
  refusal: ['content', 'refusal', 'refusal'],
  reasoning_text: ['content', 'reasoning_text', 'text'],
  reasoning_summary_text: ['summary', 'summary_text', 'text'],
});

/**
 * The events of a response as the response in one piece. Its last event repeats the whole; one that broke off before is put together
 * from its deltas. What an event says that the result does not say is unread.
 *
 * @param {JsonEvent[]} events
 * @returns {Assembled}
 */
export function assembleResponse(events) {
  /** the last one that an event brought @type {JsonObject} */
  let response = {};
  let isWhole = false;
  /** @type {Map<number, JsonObject>} */
  const items = new Map();
  for (const { json } of events) {
    if (!isObject(json)) continue;
    if (isObject(json['response'])) {
      response = json['response'];
      isWhole = ['response.completed', 'response.failed', 'response.incomplete'].includes(String(json['type']));
    } else addToItems(items, json);
  }
  const output = [...items.keys()].toSorted((a, b) => a - b).map((index) => items.get(index));
  const body = isWhole || output.length === 0 ? response : { ...response, output };
  return { body, unread: unreadOf(events, body) };
}

/** @param {Map<number, JsonObject>} items @param {JsonObject} event */
function addToItems(items, event) {
  const { type, output_index: index, item, delta } = event;
  if (typeof type !== 'string' || typeof index !== 'number') return;
  // The whole item replaces what its deltas made of it.
  if (isObject(item)) {
    items.set(index, { ...item });
    return;
  }
  if (typeof delta !== 'string') return;
  const target = items.get(index) ?? { type: 'message', role: 'assistant' };
  items.set(index, target);
  const of = type.replace(/^response\./, '').replace(/\.delta$/, '');
  if (of.endsWith('_arguments') || of.endsWith('_input') || of.endsWith('_code')) {
    const name = of.endsWith('_arguments') ? 'arguments' : of.endsWith('_input') ? 'input' : 'code';
    target[name] = textOf(target[name]) + delta;
    return;
  }
  const place = Object.hasOwn(places, of) ? places[/** @type {keyof typeof places} */ (of)] : undefined;
  if (place === undefined) return;
  const [list, partType, field] = place;
  const at = event[list === 'summary' ? 'summary_index' : 'content_index'] ?? 0;
  if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= maxParts) return;
  const parts = Array.isArray(target[list]) ? target[list] : [];
  target[list] = parts;
  while (parts.length <= at) parts.push({ type: partType, [field]: '' });
  const part = parts[at];
  if (isObject(part)) part[field] = textOf(part[field]) + delta;
}

/** More parts than an item has. */
const maxParts = 1_000;

/** Names whose values only say where an event belongs. */
const addresses = new Set(['item_id', 'obfuscation', 'event_id']);

/**
 * The events with a text that the result does not contain. A delta is part of a longer text; it counts as read if that text, as the
 * deltas of one place make it, is in the result.
 *
 * @param {JsonEvent[]} events
 * @param {JsonObject} body
 */
function unreadOf(events, body) {
  const said = new Set();
  eachText(body, (text) => said.add(text));
  /** @type {Map<string, { text: string, events: string[] }>} */
  const pieces = new Map();
  /** @type {string[]} */
  const unread = [];
  for (const { json, data } of events) {
    if (!isObject(json)) {
      unread.push(data);
      continue;
    }
    const { type, delta, ...rest } = json;
    if (typeof delta === 'string') {
      const place = [
        json['type'],
        json['output_index'],
        json['content_index'],
        json['summary_index'],
        json['item_id'],
      ].join(' ');
      const piece = pieces.get(place) ?? { text: '', events: [] };
      piece.text += delta;
      piece.events.push(data);
      pieces.set(place, piece);
    }
    const isKnown = typeof type === 'string' && type.startsWith('response.');
    const isRead = everyText(typeof delta === 'string' ? rest : { ...rest, delta }, (text) => said.has(text));
    if (!isKnown || !isRead) unread.push(data);
  }
  for (const { text, events: ofPiece } of pieces.values())
    if (!said.has(text)) unread.push(...ofPiece.slice(0, 1), text);
  return unread;
}

/** Calls back for each text in a value, but not for names, and not for what only addresses. @param {unknown} value @param {(text: string) => void} call */
function eachText(value, call) {
  const toDo = [value];
  while (toDo.length > 0) {
    const one = toDo.pop();
    if (typeof one === 'string') call(one);
    else if (Array.isArray(one)) for (const item of one) toDo.push(item);
    else if (isObject(one)) for (const name of Object.keys(one)) toDo.push(one[name]);
  }
}

/** @param {JsonObject} event @param {(text: string) => boolean} is */
function everyText(event, is) {
  let every = true;
  for (const [name, value] of Object.entries(event)) {
    if (addresses.has(name) && typeof value === 'string') continue;
    eachText(value, (text) => {
      every &&= text === '' || knownStates.has(text) || is(text);
    });
  }
  return every;
}

/** What changes while a response is made. */
const knownStates = new Set(['queued', 'in_progress', 'searching', 'interpreting', 'generating', 'completed']);

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' ? value : '';
}
