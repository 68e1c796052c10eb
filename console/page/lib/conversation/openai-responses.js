import { Fields, isObject, otherPart, rawPart, toField } from './fields.js';
import { ofBase64 } from './media.js';
import { readContent, toCall, toInput, toResult } from './read-blocks.js';
import { toTurn } from './turns.js';

/** Responses of OpenAI. */

/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {import('./read-bodies.d.ts').ReadSide} ReadSide */

/** @type {ReadSide} */
export function readResponsesRequest(fields) {
  const instructions = fields.text('instructions');
  /** @type {Part[]} */
  const ofSystem = instructions === null ? [] : [{ kind: 'text', text: instructions }];
  const input = fields.take('input');
  const turns = typeof input === 'string' ? toTurn('request', 'user', readContent(input)) : readItems('request', input);
  return [...toTurn('request', 'instructions', ofSystem), ...turns];
}

/** @type {ReadSide} */
export function readResponsesResponse(fields) {
  const turns = readItems('response', fields.take('output'));
  const details = fields.object('incomplete_details');
  const reason = details === null ? null : new Fields(details);
  const status = fields.text('status');
  const finish = reason?.text('reason') ?? status;
  const rest = reason?.rest() ?? [];
  if (finish !== null && finish !== status && status !== null) rest.push(toField('status', status));
  const last = turns.at(-1);
  if (last === undefined) return toTurn('response', 'assistant', otherPart(rest), finish);
  last.finish = finish;
  last.parts.push(...otherPart(rest));
  return turns;
}

/**
 * Messages, and what a model does between them: calls, their results, and its reasoning. What follows one another without a message of
 * another role is one turn.
 *
 * @param {Turn['side']} side
 * @param {unknown} items
 * @returns {Turn[]}
 */
function readItems(side, items) {
  if (!Array.isArray(items)) return toTurn(side, 'unknown', rawPart(items));
  /** @type {Turn[]} */
  const turns = [];
  /** an item that is no message was the last one */
  let isOpen = false;
  for (const item of items) {
    const { role, parts, isMessage } = readItem(item);
    const last = turns.at(-1);
    const isSame = last?.role === role && (role === 'assistant' || (isOpen && !isMessage));
    if (last !== undefined && isSame) for (const part of parts) last.parts.push(part);
    else if (parts.length > 0) turns.push({ side, role, parts, finish: null });
    isOpen = !isMessage;
  }
  return turns;
}

/** @param {unknown} item @returns {{ role: string, parts: Part[], isMessage: boolean }} */
function readItem(item) {
  if (!isObject(item)) return { role: 'unknown', parts: rawPart(item), isMessage: false };
  const fields = new Fields(item);
  const type = fields.peek('type');
  if (type === 'message' || (type === undefined && fields.has('content'))) {
    fields.take('type');
    const role = fields.text('role') ?? 'assistant';
    return { role, parts: [...readContent(fields.take('content')), ...otherPart(fields.rest())], isMessage: true };
  }
  if (type === 'reasoning') return { role: 'assistant', parts: readReasoning(fields), isMessage: false };
  if (typeof type === 'string' && type.endsWith('_call_output'))
    return { role: 'tool', parts: readOutput(fields), isMessage: false };
  if (typeof type === 'string' && type.endsWith('_call'))
    return { role: 'assistant', parts: readCall(fields, type), isMessage: false };
  return { role: 'assistant', parts: rawPart(item), isMessage: false };
}

/** @param {Fields} fields @returns {Part[]} */
function readReasoning(fields) {
  fields.take('type');
  const said = [fields.list('content'), fields.list('summary')].flatMap((blocks) =>
    blocks === null ? [] : readContent(blocks),
  );
  const hidden = fields.text('encrypted_content');
  const sealed = hidden === null ? [] : [ofBase64(hidden, { name: 'encrypted reasoning' })];
  return [...said, ...sealed, ...otherPart(fields.rest())];
}

/** @param {Fields} fields @returns {Part[]} */
function readOutput(fields) {
  for (const known of ['function_call_output', 'custom_tool_call_output']) fields.is('type', known);
  const callId = fields.text('call_id');
  return [toResult({ callId, parts: readContent(fields.take('output')) }), ...otherPart(fields.rest())];
}

/** What the input of a call is called: by the type of the tool. */
const inputNames = ['arguments', 'input', 'action', 'code', 'queries'];

/** @param {Fields} fields @param {string} type @returns {Part[]} */
function readCall(fields, type) {
  const isUsual = fields.is('type', 'function_call') || fields.is('type', 'custom_tool_call');
  const name = fields.text('name');
  if (!isUsual && name === null) fields.take('type');
  const given = inputNames.find((one) => fields.has(one));
  const input = given === undefined ? '' : toInput(fields.take(given));
  const image = type === 'image_generation_call' ? fields.text('result') : null;
  // A tool that ran at the provider has its result beside the call.
  const output = fields.has('output') ? readContent(fields.take('output')) : [];
  const callId = fields.text('call_id');
  const call = toCall({
    id: callId ?? (isUsual ? null : fields.text('id')),
    name: name ?? type.replace(/_call$/, ''),
    input,
    others: fields,
    result: output.length === 0 ? null : toResult({ callId, parts: output }),
  });
  return [call, ...(image === null ? [] : [ofBase64(image, { media: 'image' })])];
}
