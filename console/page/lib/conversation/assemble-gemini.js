import { isObject } from './fields.js';
import { toJsonText } from './json-text.js';
import { isSuperseded } from './superseded.js';

/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */
/** @typedef {import('./read-bodies.d.ts').JsonEvent} JsonEvent */
/** @typedef {import('./read-bodies.d.ts').Assembled} Assembled */

/**
 * The answers of a stream of Gemini as one: each has the parts that come next.
 *
 * @param {JsonEvent[]} events
 * @returns {Assembled}
 */
export function assembleGemini(events) {
  /** @type {JsonObject} */
  const body = {};
  /** @type {Map<number, JsonObject>} */
  const candidates = new Map();
  /** @type {string[]} */
  const unread = [];
  for (const { json, data } of events) {
    if (!isObject(json)) {
      unread.push(data);
      continue;
    }
    for (const [name, value] of Object.entries(json)) {
      if (name === 'candidates' && Array.isArray(value)) {
        for (const candidate of value)
          if (!isObject(candidate) || !add(candidates, candidate)) unread.push(toJsonText(candidate));
      } else if (!set(body, name, value)) unread.push(toJsonText({ [name]: value }));
    }
  }
  return { body: candidates.size === 0 ? body : { candidates: [...candidates.values()], ...body }, unread };
}

/** @param {Map<number, JsonObject>} candidates @param {JsonObject} delta @returns whether all of it is there now */
function add(candidates, delta) {
  const index = delta['index'] ?? 0;
  if (typeof index !== 'number') return false;
  const candidate = candidates.get(index) ?? {};
  candidates.set(index, candidate);
  let isRead = true;
  for (const [name, value] of Object.entries(delta)) {
    if (name !== 'content' || !isObject(value)) {
      isRead = set(candidate, name, value) && isRead;
      continue;
    }
    const content = candidate['content'] ?? {};
    candidate['content'] = content;
    if (!isObject(content)) {
      isRead = false;
      continue;
    }
    for (const [field, given] of Object.entries(value)) {
      if (field === 'parts' && Array.isArray(given)) {
        for (const part of given) isRead = addPart(content, part) && isRead;
      } else isRead = set(content, field, given) && isRead;
    }
  }
  return isRead;
}

/** A text goes on where the one before ended, if nothing else is said about it. @param {JsonObject} content @param {unknown} part */
function addPart(content, part) {
  const parts = content['parts'] ?? [];
  if (!Array.isArray(parts)) return false;
  content['parts'] = parts;
  const last = parts.at(-1);
  if (isOnlyText(last) && isOnlyText(part) && (last['thought'] === true) === (part['thought'] === true)) {
    last['text'] = `${last['text']}${part['text']}`;
  } else parts.push(isObject(part) ? { ...part } : part);
  return true;
}

/** @param {unknown} part @returns {part is JsonObject} */
function isOnlyText(part) {
  return (
    isObject(part) &&
    typeof part['text'] === 'string' &&
    Object.keys(part).every((name) => name === 'text' || (name === 'thought' && typeof part[name] === 'boolean'))
  );
}

/** What each answer says anew, the last one for the whole. @param {JsonObject} into @param {string} name @param {unknown} value */
function set(into, name, value) {
  if (!isSuperseded(into[name], value)) return false;
  into[name] = value;
  return true;
}
