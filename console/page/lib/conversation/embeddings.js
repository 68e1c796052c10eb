import { Fields, isObject, otherPart, rawPart } from './fields.js';
import { isTokens } from './openai-chat.js';
import { readContent } from './read-blocks.js';
import { toTurn } from './turns.js';

/** Embeddings of OpenAI, and of those who speak it. */

/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** A vector as base64 has 4 bytes for each number. */
const charsPerNumber = 16 / 3;

/** @type {ReadSide} */
export function readEmbeddingsRequest(fields) {
  const input = fields.take('input');
  const inputs = Array.isArray(input) && !isTokens(input) ? input : [input];
  return toTurn(
    'request',
    'input',
    inputs.flatMap((one) =>
      isTokens(one) ? [{ kind: 'numbers', of: 'tokens', length: one.length }] : readContent(one),
    ),
  );
}

/** @type {ReadSide} */
export function readEmbeddingsResponse(fields) {
  const data = fields.list('data') ?? [];
  return toTurn('response', 'embedding', data.flatMap(readEmbedding));
}

/** @param {unknown} item @returns {Part[]} */
function readEmbedding(item) {
  if (!isObject(item)) return rawPart(item);
  const fields = new Fields(item);
  fields.is('object', 'embedding');
  if (typeof fields.peek('index') === 'number') fields.take('index');
  const vector = fields.take('embedding');
  if (isTokens(vector)) return [{ kind: 'numbers', of: 'vector', length: vector.length }, ...otherPart(fields.rest())];
  if (typeof vector !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(vector)) return rawPart(item);
  return [
    { kind: 'numbers', of: 'vector', length: Math.floor(vector.length / charsPerNumber) },
    ...otherPart(fields.rest()),
  ];
}
