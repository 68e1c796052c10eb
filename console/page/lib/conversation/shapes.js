import { isObject } from './fields.js';

/** @typedef {import('./conversation.d.ts').Shape} Shape */
/** @typedef {import('./read-bodies.d.ts').JsonObject} JsonObject */

/** Blocks that only messages of Anthropic have. */
const ofAnthropic = new Set(['tool_use', 'tool_result', 'thinking', 'redacted_thinking', 'document']);

/**
 * By its fields and, where two shapes are alike, by the path that it was sent to; null if it is none that is known.
 *
 * @param {JsonObject} body
 * @param {string} path
 * @returns {Shape | null}
 */
export function shapeOfRequest(body, path) {
  if (Array.isArray(body['contents'])) return 'gemini';
  if (Array.isArray(body['messages']))
    return isAnthropic(body, body['messages'], path) ? 'anthropic-messages' : 'openai-chat';
  if (body['input'] !== undefined) {
    const isEmbedding = /\/embeddings\b/.test(path) || /embed/i.test(String(body['model']));
    return isEmbedding ? 'openai-embeddings' : 'openai-responses';
  }
  return body['prompt'] === undefined ? null : 'openai-completions';
}

/** @param {JsonObject} body @param {unknown[]} messages @param {string} path */
function isAnthropic(body, messages, path) {
  if (/\/messages\b/.test(path)) return true;
  if (/\/completions\b/.test(path)) return false;
  if (body['system'] !== undefined || body['anthropic_version'] !== undefined) return true;
  return messages.some(
    (message) =>
      isObject(message) &&
      Array.isArray(message['content']) &&
      message['content'].some((block) => isObject(block) && ofAnthropic.has(String(block['type']))),
  );
}

/** @param {JsonObject} body @returns {Shape | null} */
export function shapeOfResponse(body) {
  const { choices, data } = body;
  if (Array.isArray(choices)) {
    return choices.some((choice) => isObject(choice) && typeof choice['text'] === 'string')
      ? 'openai-completions'
      : 'openai-chat';
  }
  if (Array.isArray(body['output']) || body['object'] === 'response') return 'openai-responses';
  if (body['type'] === 'message' && body['content'] !== undefined) return 'anthropic-messages';
  if (Array.isArray(body['candidates']) || isObject(body['promptFeedback']) || isObject(body['usageMetadata']))
    return 'gemini';
  const isEmbedding =
    Array.isArray(data) && data.length > 0 && data.every((item) => isObject(item) && item['embedding'] !== undefined);
  return isEmbedding ? 'openai-embeddings' : null;
}

/**
 * By the first event that tells.
 *
 * @param {unknown[]} events
 * @returns {Exclude<Shape, 'openai-embeddings'> | null}
 */
export function shapeOfStream(events) {
  for (const event of events) {
    if (!isObject(event)) continue;
    const { type } = event;
    if (typeof type === 'string' && type.startsWith('response.')) return 'openai-responses';
    if (typeof type === 'string' && /^(?:message|content_block)_/.test(type)) return 'anthropic-messages';
    const shape = shapeOfResponse(event);
    if (shape === 'openai-chat' || shape === 'openai-completions' || shape === 'gemini') return shape;
  }
  return null;
}
