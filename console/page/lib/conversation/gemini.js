import { Fields, isObject, otherPart, rawPart, toField } from './fields.js';
import { toJsonText } from './json-text.js';
import { ofBase64, ofUrl } from './media.js';
import { toCall, toInput, toResult } from './read-blocks.js';
import { toTurn } from './turns.js';

/** Gemini, whose names come in camel case and in snake case. */

/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** @type {ReadSide} */
export function readGeminiRequest(fields) {
  const system = fields.object('systemInstruction', 'system_instruction');
  const contents = fields.list('contents') ?? [];
  return [
    ...(system === null ? [] : readMessage('request', system, 'system')),
    ...contents.flatMap((content) => readMessage('request', content, 'user')),
  ];
}

/** @type {ReadSide} */
export function readGeminiResponse(fields) {
  const candidates = fields.list('candidates') ?? [];
  const turns = candidates.flatMap((candidate) => readCandidate(candidate, candidates.length > 1));
  const feedback = fields.object('promptFeedback', 'prompt_feedback');
  if (feedback === null) return turns;
  const within = new Fields(feedback);
  const reason = within.text('blockReason', 'block_reason');
  const message = within.text('blockReasonMessage', 'block_reason_message');
  /** @type {Part[]} */
  const refused = reason === null && message === null ? [] : [{ kind: 'refusal', text: message ?? reason ?? '' }];
  if (message !== null && reason !== null) refused.push(...otherPart([toField('blockReason', reason)]));
  return [...turns, ...toTurn('response', 'model', [...refused, ...otherPart(within.rest())])];
}

/** @param {unknown} candidate @param {boolean} isOfMany @returns {Turn[]} */
function readCandidate(candidate, isOfMany) {
  if (!isObject(candidate)) return toTurn('response', 'model', rawPart(candidate));
  const fields = new Fields(candidate);
  const finish = fields.text('finishReason', 'finish_reason');
  if (!isOfMany && fields.peek('index') === 0) fields.take('index');
  const content = fields.object('content');
  const [said] = content === null ? [] : readMessage('response', content, 'model');
  return toTurn('response', said?.role ?? 'model', [...(said?.parts ?? []), ...otherPart(fields.rest())], finish);
}

/** @param {Turn['side']} side @param {unknown} content @param {string} usualRole @returns {Turn[]} */
function readMessage(side, content, usualRole) {
  if (!isObject(content)) return toTurn(side, usualRole, rawPart(content));
  const fields = new Fields(content);
  const role = fields.text('role') ?? usualRole;
  const parts = fields.list('parts') ?? [];
  return toTurn(side, role, [...parts.flatMap(readPart), ...otherPart(fields.rest())]);
}

/** @param {unknown} part @returns {Part[]} */
function readPart(part) {
  if (!isObject(part)) return rawPart(part);
  const fields = new Fields(part);
  const known = readKnown(fields);
  return known.length === 0 ? rawPart(part) : [...known, ...otherPart(fields.rest())];
}

/** @param {Fields} fields @returns {Part[]} */
function readKnown(fields) {
  const isThought = fields.is('thought', true);
  const text = fields.text('text');
  if (text !== null) return [{ kind: isThought ? 'reasoning' : 'text', text }];
  const inline = fields.object('inlineData', 'inline_data');
  if (inline !== null) return readInline(new Fields(inline));
  const file = fields.object('fileData', 'file_data');
  if (file !== null) return readFile(new Fields(file));
  const call = fields.object('functionCall', 'function_call');
  if (call !== null) return readCall(new Fields(call));
  const response = fields.object('functionResponse', 'function_response');
  if (response !== null) return readResponse(new Fields(response));
  const code = fields.object('executableCode', 'executable_code');
  if (code !== null) return readCode(new Fields(code));
  const ran = fields.object('codeExecutionResult', 'code_execution_result');
  return ran === null ? [] : readRan(new Fields(ran));
}

/** @param {Fields} fields @returns {Part[]} */
function readInline(fields) {
  const type = fields.text('mimeType', 'mime_type');
  const name = fields.text('displayName', 'display_name');
  const data = fields.text('data');
  return [ofBase64(data ?? '', { type, name }), ...otherPart(fields.rest())];
}

/** @param {Fields} fields @returns {Part[]} */
function readFile(fields) {
  const type = fields.text('mimeType', 'mime_type');
  const uri = fields.text('fileUri', 'file_uri');
  const media = ofBase64('', { type }).media;
  return [ofUrl(uri ?? '', media, type), ...otherPart(fields.rest())];
}

/** @param {Fields} fields @returns {Part[]} */
function readCall(fields) {
  const [id, name] = [fields.text('id'), fields.text('name') ?? ''];
  const input = fields.has('args') ? toInput(fields.take('args')) : '';
  return [toCall({ id, name, input, others: fields })];
}

/** @param {Fields} fields @returns {Part[]} */
function readResponse(fields) {
  const [callId, name] = [fields.text('id'), fields.text('name')];
  const response = fields.take('response');
  /** @type {Part[]} */
  const parts =
    response == null ? [] : [{ kind: 'text', text: typeof response === 'string' ? response : toJsonText(response) }];
  return [toResult({ callId, name, parts }), ...otherPart(fields.rest())];
}

/** @param {Fields} fields @returns {Part[]} */
function readCode(fields) {
  const input = fields.text('code') ?? '';
  const id = fields.text('id');
  return [toCall({ id, name: 'code_execution', input, others: fields })];
}

/** @param {Fields} fields @returns {Part[]} */
function readRan(fields) {
  const output = fields.text('output');
  const callId = fields.text('id');
  const isError = fields.peek('outcome') !== 'OUTCOME_OK';
  /** @type {Part[]} */
  const parts = output === null ? [] : [{ kind: 'text', text: output }];
  return [toResult({ callId, name: 'code_execution', isError, parts }), ...otherPart(fields.rest())];
}
