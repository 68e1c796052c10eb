import { Fields, otherPart } from './fields.js';
import { toTurn } from './turns.js';

/** @typedef {import('./conversation.d.ts').Part} Part */

/**
 * What a body says that went wrong, as a turn of its own: `error` is an object with a message, or a text.
 *
 * @param {Fields} fields of the body
 */
export function readError(fields) {
  const text = fields.text('error');
  if (text !== null) return toTurn('response', 'error', [{ kind: 'error', text, code: '' }]);
  const error = fields.object('error');
  if (error !== null) {
    fields.is('type', 'error');
    return toTurn('response', 'error', readObject(new Fields(error)));
  }
  // The event of a stream of responses has no object around it.
  return fields.is('type', 'error') && fields.has('message') ? toTurn('response', 'error', readObject(fields)) : [];
}

/** @param {Fields} fields @returns {Part[]} */
function readObject(fields) {
  const text = fields.text('message') ?? '';
  const code = codeOf(fields);
  return [{ kind: 'error', text, code }, ...otherPart(fields.rest())];
}

/** The first of these that says something; the others stay. @param {Fields} fields */
function codeOf(fields) {
  for (const name of ['type', 'status', 'code']) {
    const value = fields.peek(name);
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    fields.take(name);
    return String(value);
  }
  return '';
}
