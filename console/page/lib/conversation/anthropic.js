import { Fields, isObject, otherPart, rawPart, toField } from './fields.js';
import { readContent } from './read-blocks.js';
import { toTurn } from './turns.js';

/** Messages of Anthropic. */

/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** @type {ReadSide} */
export function readMessagesRequest(fields) {
  const system = fields.has('system') ? readContent(fields.take('system')) : [];
  const messages = fields.list('messages') ?? [];
  return [...toTurn('request', 'system', system), ...messages.flatMap(readMessage)];
}

/** @param {unknown} message */
function readMessage(message) {
  if (!isObject(message)) return toTurn('request', 'unknown', rawPart(message));
  const fields = new Fields(message);
  const role = fields.text('role') ?? 'user';
  return toTurn('request', role, [...readContent(fields.take('content')), ...otherPart(fields.rest())]);
}

/** @type {ReadSide} */
export function readMessagesResponse(fields) {
  fields.is('type', 'message');
  const role = fields.text('role') ?? 'assistant';
  const parts = readContent(fields.take('content'));
  const sequence = fields.text('stop_sequence');
  const stopped = sequence === null ? [] : [toField('stop_sequence', sequence)];
  return toTurn('response', role, [...parts, ...otherPart(stopped)], fields.text('stop_reason'));
}
