import { Fields, isObject, otherPart, rawPart } from './fields.js';
import { ofBase64 } from './media.js';
import { readContent, toCall, toInput, toResult } from './read-blocks.js';
import { toTurn } from './turns.js';

/** Chat completions of OpenAI, which many others speak, and the completions before them. */

/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** @type {ReadSide} */
export function readChatRequest(fields) {
  const messages = fields.list('messages') ?? [];
  return messages.flatMap((message) => readMessage('request', message));
}

/** @type {ReadSide} */
export function readChatResponse(fields) {
  const choices = fields.list('choices') ?? [];
  return choices.flatMap((choice) => readChoice(choice, choices.length > 1));
}

/** @type {ReadSide} */
export function readCompletionsRequest(fields) {
  const prompt = fields.take('prompt');
  const prompts = Array.isArray(prompt) && prompt.every((one) => typeof one === 'string') ? prompt : [prompt];
  return prompts.flatMap((one) =>
    toTurn(
      'request',
      'prompt',
      isTokens(one) ? [{ kind: 'numbers', of: 'tokens', length: one.length }] : readContent(one),
    ),
  );
}

/** @param {unknown} value @returns {value is number[]} */
export function isTokens(value) {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
}

/** @param {unknown} choice @param {boolean} isOfMany @returns {Turn[]} */
function readChoice(choice, isOfMany) {
  if (!isObject(choice)) return toTurn('response', 'assistant', rawPart(choice));
  const fields = new Fields(choice);
  const finish = fields.text('finish_reason');
  const index = fields.peek('index');
  if (!isOfMany && index === 0) fields.take('index');
  const message = fields.object('message');
  const text = fields.text('text');
  /** @type {Part[]} */
  const ofText = text === null || text === '' ? [] : [{ kind: 'text', text }];
  const [said] = message === null ? [] : readMessage('response', message);
  const role = said?.role ?? 'assistant';
  return toTurn('response', role, [...(said?.parts ?? []), ...ofText, ...otherPart(fields.rest())], finish);
}

/** @param {Turn['side']} side @param {unknown} message @returns {Turn[]} */
function readMessage(side, message) {
  if (!isObject(message)) return toTurn(side, 'unknown', rawPart(message));
  const fields = new Fields(message);
  const role = fields.text('role') ?? 'assistant';
  if (role === 'tool' || role === 'function') {
    const result = toResult({
      callId: fields.text('tool_call_id'),
      name: fields.text('name'),
      parts: readContent(fields.take('content')),
    });
    return toTurn(side, role, [result, ...otherPart(fields.rest())]);
  }
  /** @type {Part[]} */
  const parts = [];
  const reasoning = fields.text('reasoning_content') ?? fields.text('reasoning');
  if (reasoning !== null && reasoning !== '') parts.push({ kind: 'reasoning', text: reasoning });
  for (const part of readContent(fields.take('content'))) parts.push(part);
  const refusal = fields.text('refusal');
  if (refusal !== null && refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  const audio = fields.object('audio');
  if (audio !== null) parts.push(...readAudio(audio));
  for (const call of fields.list('tool_calls') ?? []) parts.push(...readToolCall(call));
  const call = fields.object('function_call');
  if (call !== null) parts.push(...readFunction(null, call, null));
  return toTurn(side, role, [...parts, ...otherPart(fields.rest().filter(({ text }) => text !== '[]'))]);
}

/** What a model says aloud, with its transcript. @param {Record<string, unknown>} audio @returns {Part[]} */
function readAudio(audio) {
  const fields = new Fields(audio);
  const [data, transcript] = [fields.text('data'), fields.text('transcript')];
  return [
    ...(data === null ? [] : [ofBase64(data, { media: 'audio' })]),
    .../** @type {Part[]} */ (transcript === null ? [] : [{ kind: 'text', text: transcript }]),
    ...otherPart(fields.rest()),
  ];
}

/** @param {unknown} call @returns {Part[]} */
function readToolCall(call) {
  if (!isObject(call)) return rawPart(call);
  const fields = new Fields(call);
  const id = fields.text('id');
  fields.take('index');
  for (const name of ['function', 'custom']) {
    const called = fields.object(name);
    if (called === null) continue;
    fields.is('type', name);
    return readFunction(id, called, fields);
  }
  return rawPart(call);
}

/** @param {string | null} id @param {Record<string, unknown>} called @param {Fields | null} around @returns {Part[]} */
function readFunction(id, called, around) {
  const fields = new Fields(called);
  const name = fields.text('name') ?? '';
  const given = fields.has('arguments') ? fields.take('arguments') : fields.take('input');
  const rest = [...otherPart(fields.rest()), ...otherPart(around?.rest() ?? [])];
  return [toCall({ id, name, input: given === undefined ? '' : toInput(given) }), ...rest];
}
